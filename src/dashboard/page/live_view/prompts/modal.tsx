import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { focusKeyboard } from "../input/focus_keyboard.ts";

/** A dialog over everything else, which is open as long as it exists. */
export function Modal(
  { title, role, onCancel, children }: {
    readonly title: string;
    readonly role?: "alertdialog";
    /** Called for the Escape key. */
    readonly onCancel: () => void;
    readonly children: ComponentChildren;
  },
): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      focusKeyboard({ opensSoftKeyboard: false });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      role={role}
      aria-labelledby={titleId}
      onCancel={(event) => {
        // Its owner removes it.
        event.preventDefault();
        onCancel();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}
