import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { Modal } from "./modal.tsx";
import type { PageDialog, Viewer } from "../connection/viewer.ts";

/** An open dialog of the page, for a viewer who can answer it. */
export function DialogPrompt(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const dialog = viewer.dialog.value;
  return dialog ? <Prompt viewer={viewer} dialog={dialog} /> : null;
}

function Prompt(
  { viewer, dialog }: { readonly viewer: Viewer; readonly dialog: PageDialog },
): VNode {
  const { kind, message, default_text } = dialog;
  const id = useId();
  const [text, setText] = useState(default_text);
  const [yes, no] = BUTTONS[kind];
  function answer({ accept }: { readonly accept: boolean }): void {
    viewer.dialog.value = undefined;
    viewer.send({
      type: "dialog_answer",
      accept,
      ...accept && kind === "prompt" ? { text } : {},
    });
  }
  return (
    <Modal
      role="alertdialog"
      title={renderTitle(dialog)}
      onCancel={() => answer({ accept: kind === "alert" })}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer({ accept: true });
        }}
      >
        {kind === "prompt"
          ? (
            <>
              <label class="live-message" for={id}>{message}</label>
              <input
                id={id}
                type="text"
                name="prompt"
                autoFocus
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            </>
          )
          : (
            <p class="live-message">
              {kind === "beforeunload"
                ? "Changes that you made may not be saved."
                : message}
            </p>
          )}
        <div class="actions">
          {no !== undefined && (
            <button
              type="button"
              onClick={() => answer({ accept: false })}
            >
              {no}
            </button>
          )}
          <button type="submit" class="primary" autoFocus={kind !== "prompt"}>
            {yes}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** Texts of the buttons that accept and dismiss. */
const BUTTONS: Readonly<
  Record<PageDialog["kind"], readonly [yes: string, no?: string]>
> = {
  alert: ["OK"],
  confirm: ["OK", "Cancel"],
  prompt: ["OK", "Cancel"],
  beforeunload: ["Leave", "Stay"],
};

/** A dialog of the page, for a viewer who only sees that there is one. */
export function DialogNote(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const dialog = viewer.dialog.value;
  if (!dialog) return null;
  return (
    <div class="live-note" role="status">
      <h3>{renderTitle(dialog)}</h3>
      {dialog.message !== "" && <p class="live-message">{dialog.message}</p>}
      <p class="dim">
        {viewer.canControl
          ? "The page waits for an answer. Take control to give one."
          : "The page waits for an answer."}
      </p>
    </div>
  );
}

function renderTitle({ kind, url }: PageDialog): string {
  if (kind === "beforeunload") return "Leave this page?";
  return `${parseHost(url) ?? "The page"} ${
    kind === "alert" ? "says" : "asks"
  }`;
}

function parseHost(url: string): string | undefined {
  return URL.parse(url)?.host || undefined;
}
