import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { formatDuration } from "../format.ts";
import { now } from "../live/now.ts";
import type { Viewer } from "./connection/viewer.ts";

/** Longest note that the server accepts. */
const MAX_NOTE = 1_000;

/** The open request to a person: its reason, its remaining time, and the buttons that answer it. */
export function HandoverBanner(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const handover = viewer.state.value?.handover;
  if (!handover || viewer.end.value) return null;
  const isOpen = viewer.connection.value.state === "open";
  return (
    <section class="live-handover" aria-label="Request" key={handover.id}>
      <div role="status">
        <b>The program asks for help:</b> {handover.reason}
        {handover.expires_at !== null && (
          <RemainingTime expiresAt={handover.expires_at} />
        )}
      </div>
      {isOpen && (viewer.canControl
        ? <Answers viewer={viewer} />
        : <p class="dim">This link cannot take control.</p>)}
    </section>
  );
}

function RemainingTime({ expiresAt }: { readonly expiresAt: string }): VNode {
  const rest = Date.parse(expiresAt) - now.value;
  return (
    <span class="live-remaining" aria-live="off">
      {formatDuration(rest)} left
    </span>
  );
}

function Answers({ viewer }: { readonly viewer: Viewer }): VNode {
  const id = useId();
  const [phase, setPhase] = useState<"open" | "declining">("open");
  const [note, setNote] = useState("");
  function decline(event: Event): void {
    event.preventDefault();
    const text = note.trim();
    viewer.send({
      type: "finish",
      result: "declined",
      ...text === "" ? {} : { note: text },
    });
  }
  if (phase === "declining") {
    return (
      <form class="live-decline" onSubmit={decline}>
        <label for={id}>Why not? The program receives it.</label>
        <input
          id={id}
          type="text"
          name="note"
          maxLength={MAX_NOTE}
          autoFocus
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
        <div class="actions">
          <button type="submit" class="danger">Cannot do it</button>
          <button type="button" onClick={() => setPhase("open")}>
            Back
          </button>
        </div>
      </form>
    );
  }
  return (
    <div class="actions">
      {viewer.isControlling.value && (
        <button
          type="button"
          class="primary"
          onClick={() => viewer.send({ type: "finish", result: "done" })}
        >
          Done
        </button>
      )}
      <button type="button" onClick={() => setPhase("declining")}>
        Cannot do it
      </button>
    </div>
  );
}
