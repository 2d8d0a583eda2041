import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { focusKeyboard } from "../input/focus_keyboard.ts";
import { Modal } from "./modal.tsx";
import type { Viewer } from "../connection/viewer.ts";

/** Longest text that one message takes. */
const MAX_TEXT = 100_000;

/** A button that inserts the visitor's clipboard into the page; where it may not be read, a field takes the text. */
export function PasteButton({ viewer }: { readonly viewer: Viewer }): VNode {
  const [phase, setPhase] = useState<"closed" | "asking">("closed");
  function insert(text: string): void {
    setPhase("closed");
    for (let at = 0; at < text.length; at += MAX_TEXT) {
      viewer.send({ type: "text", text: text.slice(at, at + MAX_TEXT) });
    }
    focusKeyboard({ opensSoftKeyboard: false });
  }
  async function paste(): Promise<void> {
    try {
      insert(await navigator.clipboard.readText());
    } catch {
      setPhase("asking");
    }
  }
  return (
    <>
      <button
        type="button"
        title="Inserts the text of your clipboard into the page"
        onClick={() => void paste()}
      >
        Paste
      </button>
      {phase === "asking" && (
        <TextPrompt
          onInsert={insert}
          onCancel={() => setPhase("closed")}
        />
      )}
    </>
  );
}

function TextPrompt(
  { onInsert, onCancel }: {
    readonly onInsert: (text: string) => void;
    readonly onCancel: () => void;
  },
): VNode {
  const id = useId();
  const [text, setText] = useState("");
  return (
    <Modal title="Paste into the page" onCancel={onCancel}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onInsert(text);
        }}
      >
        <label for={id}>
          This browser does not let the page read your clipboard: paste the text
          here.
        </label>
        <textarea
          id={id}
          name="text"
          rows={5}
          autoFocus
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <div class="actions">
          <button type="button" onClick={onCancel}>Cancel</button>
          <button type="submit" class="primary" disabled={text === ""}>
            Insert
          </button>
        </div>
      </form>
    </Modal>
  );
}
