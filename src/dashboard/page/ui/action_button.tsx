import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import { describeError } from "../api/describe_error.ts";
import { Fault } from "./notice.tsx";

/** A button that acts at once. A failure is shown below it. */
export function ActionButton(
  { act, className = "", label, children }: {
    readonly act: () => Promise<unknown>;
    readonly className?: string;
    /** Name for people who do not see it. @default {its text} */
    readonly label?: string;
    readonly children: ComponentChildren;
  },
): VNode {
  const [phase, setPhase] = useState<"ready" | "acting">("ready");
  const [error, setError] = useState<string>();
  async function start(): Promise<void> {
    setPhase("acting");
    setError(undefined);
    try {
      await act();
    } catch (cause) {
      setError(describeError(cause));
    }
    setPhase("ready");
  }
  return (
    <span class="action">
      <button
        type="button"
        class={className}
        aria-label={label}
        disabled={phase === "acting"}
        onClick={() => void start()}
      >
        {children}
      </button>
      <Fault message={error} />
    </span>
  );
}
