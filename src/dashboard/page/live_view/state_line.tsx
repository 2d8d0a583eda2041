import type { VNode } from "preact";
import { formatAge, renderCount } from "../format.ts";
import { now } from "../live/now.ts";
import type { Viewer } from "./connection/viewer.ts";

/** Classes of the states of the connection. */
const TONES = {
  open: "live",
  connecting: "",
  lost: "lost",
  closed: "lost",
} as const;

/** Connection, control and viewers, in one line. */
export function StateLine({ viewer }: { readonly viewer: Viewer }): VNode {
  const { state: connection } = viewer.connection.value;
  const state = viewer.state.value;
  const isOpen = connection === "open";
  return (
    <div class="live-state">
      <span
        class={`connection ${TONES[connection]}`}
        role="status"
      >
        {describeConnection(viewer)}
      </span>
      {isOpen && state && (
        <>
          <span
            role="status"
            class={`live-control ${state.is_controlling ? "own" : ""}`}
          >
            {describeControl(viewer)}
          </span>
          <span class="dim">{renderCount(state.viewers, "viewer")}</span>
        </>
      )}
      {isOpen && <LinkEnd expiresAt={viewer.hello.value?.expires_at ?? null} />}
      {viewer.isControlling.value && (
        <span class="dim live-hint">
          <kbd>Shift</kbd>+<kbd>Esc</kbd> leaves the page
        </span>
      )}
    </div>
  );
}

function LinkEnd(
  { expiresAt }: { readonly expiresAt: string | null },
): VNode | null {
  if (expiresAt === null) return null;
  const rest = Date.parse(expiresAt) - now.value;
  return <span class="dim">link ends in {formatAge(rest)}</span>;
}

function describeConnection(viewer: Viewer): string {
  if (viewer.end.value) return "Ended";
  switch (viewer.connection.value.state) {
    case "open":
      return "Live";
    case "connecting":
      return "Connecting";
    case "lost":
      return "Not connected";
    case "closed":
      return "Closed";
  }
}

function describeControl({ state, canControl }: Viewer): string {
  const { control, is_controlling } = state.value ??
    { control: "client", is_controlling: false };
  if (is_controlling) {
    return control === "shared"
      ? "You and the program have control"
      : "You have control";
  }
  switch (control) {
    case "client":
      return canControl
        ? "The program has control"
        : "View only: the program has control";
    case "human":
      return "Another person has control";
    case "shared":
      return "Another person and the program have control";
  }
}
