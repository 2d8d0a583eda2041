import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import type { LiveLinkBody } from "../../../apps/live/schemas.ts";
import { Fault } from "../ui/notice.tsx";

/** Lifetimes to choose from, in seconds. */
const LIFETIMES = [
  [600, "10 minutes"],
  [3_600, "1 hour"],
  [28_800, "8 hours"],
  [86_400, "1 day"],
  [604_800, "7 days"],
] as const;

/** The form for a new link. */
export function LinkForm(
  { create }: {
    /** Creates a link; returns the reason if that fails. */
    readonly create: (body: LiveLinkBody) => Promise<string | undefined>;
  },
): VNode {
  const id = useId();
  const [mode, setMode] = useState<"view" | "control">("view");
  const [seconds, setSeconds] = useState(3_600);
  const [note, setNote] = useState("");
  const [error, setError] = useState<string>();
  const [phase, setPhase] = useState<"editing" | "sent">("editing");
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setPhase("sent");
    const failure = await create({ mode, expires_in_seconds: seconds, note });
    setError(failure);
    if (failure === undefined) setNote("");
    setPhase("editing");
  }
  return (
    <form class="live-link-form" onSubmit={(event) => void submit(event)}>
      <div class="field">
        <label for={`${id}-mode`}>The person may</label>
        <select
          id={`${id}-mode`}
          name="mode"
          value={mode}
          onChange={({ currentTarget }) =>
            setMode(currentTarget.value === "control" ? "control" : "view")}
        >
          <option value="view">watch</option>
          <option value="control">watch and control</option>
        </select>
      </div>
      <div class="field">
        <label for={`${id}-seconds`}>for</label>
        <select
          id={`${id}-seconds`}
          name="expires"
          value={String(seconds)}
          onChange={({ currentTarget }) =>
            setSeconds(Number(currentTarget.value))}
        >
          {LIFETIMES.map(([value, text]) => (
            <option key={value} value={String(value)}>{text}</option>
          ))}
        </select>
      </div>
      <div class="field grow">
        <label for={`${id}-note`}>Note for your list</label>
        <input
          id={`${id}-note`}
          type="text"
          name="link-note"
          maxLength={200}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </div>
      <button type="submit" disabled={phase === "sent"}>Create link</button>
      <Fault message={error} />
    </form>
  );
}
