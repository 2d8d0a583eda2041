import type { VNode } from "preact";
import { shortenId } from "../format.ts";
import { buildHref } from "../routing.ts";
import { LiveView } from "./live_view.tsx";
import { forSession } from "./connection/viewer_options.ts";

/** The live view of a session, as large as the window. */
export function SessionLivePage({ id }: { readonly id: string }): VNode {
  return (
    <div class="live-page">
      <h1 class="live-title">
        Live view{" "}
        <a href={buildHref(`sessions/${encodeURIComponent(id)}`)}>
          of session <span class="id">{shortenId(id)}</span>
        </a>
      </h1>
      <LiveView options={forSession(id)} layout="full" />
    </div>
  );
}
