import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { PREFIX } from "../api/client.ts";
import { takeToken } from "./connection/link_token.ts";
import { LiveView } from "./live_view.tsx";
import { forToken } from "./connection/viewer_options.ts";

/** Returns true if this is the page of a link, which has no sign-in and no other pages. */
export function isLinkPage(): boolean {
  return location.pathname.slice(PREFIX.length).replace(/\/+$/, "") === "/live";
}

/** The live view for a visitor with a link: alone in the window, or in a frame. */
export function LinkPage(): VNode {
  const [token, setToken] = useState(takeToken);
  useEffect(() => {
    document.title = "Live view \u00b7 Browsergrid";
    const update = () => setToken(takeToken());
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  if (token === undefined) {
    return (
      <main class="alone">
        <h1>Live view</h1>
        <p>
          The address is not complete. Open the whole link that you have
          received, or ask for a new one.
        </p>
      </main>
    );
  }
  return (
    <main class="live-page">
      <h1 class="offscreen">Live view</h1>
      <LiveView key={token} options={forToken(token)} layout="full" />
    </main>
  );
}
