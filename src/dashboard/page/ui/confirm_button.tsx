import type { ComponentChildren, VNode } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { describeError } from "../api/describe_error.ts";
import { Fault } from "./notice.tsx";

/** An action that a person confirms. */
export interface ConfirmProps {
  /** Text of the button, a verb: `Stop`. */
  readonly label: string;
  /** Question of the dialog. */
  readonly title: string;
  /** Consequence of the action. */
  readonly children: ComponentChildren;
  readonly isDangerous?: boolean;
  /** True for a button in a line of a table. */
  readonly isSmall?: boolean;
  /** Name for people who do not see where the button is: `Revoke ci`. @default {its text} */
  readonly name?: string;
  readonly act: () => Promise<unknown>;
}

/** A button that opens a dialog, in which the action is confirmed. A failure is shown there. */
export function ConfirmButton(
  { label, name, title, children, isDangerous = false, isSmall = false, act }:
    ConfirmProps,
): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [phase, setPhase] = useState<"asking" | "acting">("asking");
  const [error, setError] = useState<string>();
  const close = () => dialog.current?.close();
  async function confirm(): Promise<void> {
    setPhase("acting");
    setError(undefined);
    try {
      await act();
      close();
    } catch (cause) {
      setError(describeError(cause));
    }
    setPhase("asking");
  }
  return (
    <>
      <button
        type="button"
        class={`${isDangerous ? "danger" : ""} ${isSmall ? "small" : ""}`}
        aria-label={name}
        onClick={() => {
          setError(undefined);
          dialog.current?.showModal();
        }}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={titleId}>
        <h2 id={titleId}>{title}</h2>
        <p>{children}</p>
        <Fault message={error} />
        <div class="actions">
          <button type="button" onClick={close}>Cancel</button>
          <button
            type="button"
            class={isDangerous ? "danger solid" : "primary"}
            disabled={phase === "acting"}
            onClick={() => void confirm()}
          >
            {phase === "acting" ? "Please wait\u2026" : label}
          </button>
        </div>
      </dialog>
    </>
  );
}
