import type { VNode } from "preact";
import { focusKeyboard, isTouchDevice } from "./input/focus_keyboard.ts";
import { KeyboardIcon } from "./icons.tsx";
import { PasteButton } from "./prompts/paste_button.tsx";
import type { Viewer } from "./connection/viewer.ts";

/** Buttons that take control and give it back, and those that need it. */
export function ControlBar(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const isOpen = viewer.connection.value.state === "open";
  if (!isOpen || !viewer.canControl) return null;
  if (!viewer.isControlling.value) {
    return (
      <div class="live-controls">
        <button
          type="button"
          class="primary"
          onClick={() => viewer.send({ type: "control", take: true })}
        >
          Take control
        </button>
      </div>
    );
  }
  return (
    <div class="live-controls">
      <button
        type="button"
        class="primary"
        onClick={() => viewer.send({ type: "control", take: false })}
      >
        Give back
      </button>
      {isTouchDevice() && (
        <button
          type="button"
          onClick={() => focusKeyboard({ opensSoftKeyboard: true })}
        >
          <KeyboardIcon /> Keyboard
        </button>
      )}
      <PasteButton viewer={viewer} />
      <button
        type="button"
        title="Copies what is selected in the page"
        onClick={() => viewer.send({ type: "copy" })}
      >
        Copy
      </button>
    </div>
  );
}
