import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { buildHref } from "../routing.ts";
import { Section } from "../ui/section.tsx";
import { LiveView } from "./live_view.tsx";
import { forSession } from "./connection/viewer_options.ts";

/** The live view in a session's page. It starts when it is opened, as a viewer costs the browser time. */
export function LiveSection({ id }: { readonly id: string }): VNode {
  const [phase, setPhase] = useState<"closed" | "open">("closed");
  const isOpen = phase === "open";
  return (
    <Section
      title="Live view"
      aside={
        <span class="actions">
          <a href={buildHref(`sessions/${id}/live`)}>Full page</a>
          {isOpen && (
            <button
              type="button"
              class="small"
              onClick={() => setPhase("closed")}
            >
              Close
            </button>
          )}
        </span>
      }
    >
      {isOpen
        ? <LiveView options={forSession(id)} layout="embedded" />
        : (
          <div class="empty live-closed">
            <p>See what the browser shows now, and take control of it.</p>
            <button
              type="button"
              class="primary"
              onClick={() => setPhase("open")}
            >
              Open live view
            </button>
          </div>
        )}
    </Section>
  );
}
