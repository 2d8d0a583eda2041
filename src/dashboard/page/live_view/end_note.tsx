import type { VNode } from "preact";
import { now } from "../live/now.ts";
import type { Viewer } from "./connection/viewer.ts";

const TITLES = {
  session_ended: "The session has ended",
  link_revoked: "This link was revoked",
  link_expired: "This link has expired",
  signed_out: "You are signed out",
  browser_gone: "The browser is gone",
  server_stopping: "The server is stopping",
  too_slow: "This connection is too slow",
} as const;

/** The reason why there is no picture, over the stage. */
export function EndNote({ viewer }: { readonly viewer: Viewer }): VNode | null {
  const end = viewer.end.value;
  if (end?.code === "link_revoked" && viewer.request !== "none") {
    return <RequestEnd viewer={viewer} />;
  }
  if (end) {
    return (
      <div class="live-note" role="alert">
        <h3>{TITLES[end.code]}</h3>
        <p>{end.message}</p>
        {viewer.canRetry && (
          <button
            type="button"
            class="primary"
            onClick={() => viewer.retry()}
          >
            Try again
          </button>
        )}
      </div>
    );
  }
  return <ConnectionNote viewer={viewer} />;
}

/** The end of the link of a request to a person, which is revoked when the request ends. */
function RequestEnd({ viewer }: { readonly viewer: Viewer }): VNode {
  return (
    <div class="live-note" role="alert">
      <h3>
        {viewer.request === "answered" ? "Thank you" : "The request has ended"}
      </h3>
      <p>The program has control again. You can close this page.</p>
    </div>
  );
}

function ConnectionNote({ viewer }: { readonly viewer: Viewer }): VNode | null {
  const { value } = viewer.connection;
  switch (value.state) {
    case "closed":
      return null;
    case "connecting":
      return viewer.painter.shown.value
        ? null
        : <p class="live-note" role="status">Connecting&hellip;</p>;
    case "open":
      return viewer.painter.shown.value
        ? null
        : <p class="live-note" role="status">{describeEmpty(viewer)}</p>;
    case "lost":
      return (
        <div class="live-note" role="alert">
          <h3>{value.wasOpen ? "Connection lost" : "Cannot connect"}</h3>
          <p>
            {value.wasOpen
              ? "The picture is the last one that arrived."
              : "The server does not respond, or does not accept this viewer: the session may have ended, or the link is wrong or no longer valid."}
          </p>
          <button type="button" onClick={() => viewer.retry()}>
            Try now
          </button>{" "}
          <span class="dim" aria-hidden="true">
            {renderWait(value.retryAt)}
          </span>
        </div>
      );
  }
}

function describeEmpty(viewer: Viewer): string {
  const tabs = viewer.tabs.value;
  return tabs && tabs.tabs.length === 0
    ? "The browser has no open page."
    : "Waiting for the first picture\u2026";
}

function renderWait(retryAt: number): string {
  const seconds = Math.ceil((retryAt - now.value) / 1_000);
  return seconds > 0 ? `or in ${seconds} s` : "";
}
