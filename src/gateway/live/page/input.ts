/**
 * Translates the input of a viewer into commands to a page. Their results are never awaited: a page that emulates touch
 * never answers mouse events.
 *
 * @module
 */
import type { ViewerMessage } from "../../../apps/live/schemas/viewer_messages.ts";
import type { BrowserCommand } from "../browser_commands.ts";

/** A message of one type. */
type Of<T extends ViewerMessage["type"]> = Extract<ViewerMessage, { type: T }>;

/** Messages that are input to a page. */
export type InputMessage = Of<
  "mouse" | "wheel" | "touch" | "key" | "text" | "compose"
>;

const MOUSE_TYPES = {
  move: "mouseMoved",
  down: "mousePressed",
  up: "mouseReleased",
} as const;

const TOUCH_TYPES = {
  start: "touchStart",
  move: "touchMove",
  end: "touchEnd",
  cancel: "touchCancel",
} as const;

/** Ctrl and Meta: a key with one of them inserts no text. */
const SHORTCUT = 2 | 4;

/** Returns the command for an input. */
export function toCommand(message: InputMessage): BrowserCommand {
  switch (message.type) {
    case "mouse":
      return {
        method: "Input.dispatchMouseEvent",
        params: {
          type: MOUSE_TYPES[message.action],
          x: message.x,
          y: message.y,
          modifiers: message.modifiers,
          button: message.button,
          buttons: message.buttons,
          clickCount: message.click_count,
        },
      };
    case "wheel":
      return {
        method: "Input.dispatchMouseEvent",
        params: {
          type: "mouseWheel",
          x: message.x,
          y: message.y,
          modifiers: message.modifiers,
          deltaX: message.delta_x,
          deltaY: message.delta_y,
        },
      };
    case "touch":
      return {
        method: "Input.dispatchTouchEvent",
        params: {
          type: TOUCH_TYPES[message.action],
          touchPoints: message.points,
          modifiers: message.modifiers,
        },
      };
    case "key":
      return { method: "Input.dispatchKeyEvent", params: toKeyEvent(message) };
    case "text":
      return { method: "Input.insertText", params: { text: message.text } };
    case "compose":
      return {
        method: "Input.imeSetComposition",
        params: {
          text: message.text,
          selectionStart: message.selection_start,
          selectionEnd: message.selection_end,
        },
      };
  }
}

function toKeyEvent(
  { action, key, code, key_code, location, is_repeat, modifiers }: Of<"key">,
): Readonly<Record<string, unknown>> {
  const shared = {
    key,
    code,
    location,
    modifiers,
    windowsVirtualKeyCode: key_code,
    nativeVirtualKeyCode: key_code,
  };
  if (action === "up") return { ...shared, type: "keyUp" };
  const text = findText(key, modifiers);
  return {
    ...shared,
    autoRepeat: is_repeat,
    ...text === undefined
      ? { type: "rawKeyDown" }
      : { type: "keyDown", text, unmodifiedText: text },
  };
}

/** Returns the text that a key inserts. */
function findText(key: string, modifiers: number): string | undefined {
  if ((modifiers & SHORTCUT) !== 0) return undefined;
  if (key === "Enter") return "\r";
  // One character, which may have two UTF-16 code units.
  return [...key].length === 1 ? key : undefined;
}
