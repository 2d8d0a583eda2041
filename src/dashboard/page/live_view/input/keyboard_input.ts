import {
  type InputTarget,
  isApple,
  sendInput,
  sumModifiers,
} from "./control_input.ts";

/** A key as the server receives it. */
interface Key {
  readonly key: string;
  readonly code: string;
  readonly key_code: number;
  readonly location: number;
}

const CONTROL: Key = {
  key: "Control",
  code: "ControlLeft",
  key_code: 17,
  location: 1,
};

const BACKSPACE: Key = {
  key: "Backspace",
  code: "Backspace",
  key_code: 8,
  location: 0,
};

const ENTER: Key = { key: "Enter", code: "Enter", key_code: 13, location: 0 };

/** `keyCode` of keys that an input method processes. */
const PROCESSED = 229;

/** Longest text of one message. */
const MAX_TEXT = 100_000;

/** Sends the keyboard to the page while the text field has the focus, until the signal is aborted. */
export function bindKeyboard(
  target: InputTarget,
  { signal, onLeave }: {
    readonly signal: AbortSignal;
    /** Called for the key that leaves the picture: Shift+Escape. */
    readonly onLeave: () => void;
  },
): void {
  const input = new KeyboardInput(target, onLeave);
  const { keyboard } = target;
  const on = <Type extends keyof HTMLElementEventMap>(
    type: Type,
    receive: (event: HTMLElementEventMap[Type]) => void,
  ) => keyboard.addEventListener(type, receive, { signal });
  on("keydown", (event) => input.press(event));
  on("keyup", (event) => input.release(event));
  on("beforeinput", (event) => input.insert(event));
  on("compositionupdate", ({ data }) => input.compose(data));
  on("compositionend", ({ data }) => input.commit(data));
  on("paste", (event) => {
    event.preventDefault();
    input.sendText(event.clipboardData?.getData("text/plain") ?? "");
  });
  on("blur", () => input.releaseAll());
  signal.addEventListener("abort", () => input.releaseAll());
}

class KeyboardInput {
  readonly #target: InputTarget;
  readonly #onLeave: () => void;
  /** Pressed keys by their codes. */
  readonly #pressed = new Map<string, Key>();
  #isComposing = false;

  constructor(target: InputTarget, onLeave: () => void) {
    this.#target = target;
    this.#onLeave = onLeave;
  }

  press(event: KeyboardEvent): void {
    if (event.key === "Escape" && event.shiftKey && !event.ctrlKey) {
      event.preventDefault();
      this.releaseAll();
      return this.#onLeave();
    }
    // The text of an input method, of a dead key and of a soft keyboard comes by other events.
    if (isProcessed(event) || this.#isComposing) return;
    // The text field receives the visitor's clipboard, which the browser of the session does not have.
    if (isShortcut(event, "v")) return;
    event.preventDefault();
    if (isShortcut(event, "c") || isShortcut(event, "x")) {
      sendInput(this.#target, { type: "copy" });
    }
    const key = toKey(event);
    this.#pressed.set(event.code || event.key, key);
    sendInput(this.#target, {
      type: "key",
      action: "down",
      ...key,
      is_repeat: event.repeat,
      modifiers: findModifiers(event),
    });
  }

  release(event: KeyboardEvent): void {
    const name = event.code || event.key;
    const key = this.#pressed.get(name);
    if (!key) return;
    event.preventDefault();
    // Apple's browsers report no release of a key while Command is pressed.
    if (event.key === "Meta" && isApple) return this.releaseAll();
    this.#pressed.delete(name);
    this.#sendUp(key, findModifiers(event));
  }

  releaseAll(): void {
    const keys = [...this.#pressed.values()].reverse();
    this.#pressed.clear();
    for (const key of keys) this.#sendUp(key, 0);
  }

  /** Input of a soft keyboard, of dictation or of a menu of characters. */
  insert(event: InputEvent): void {
    if (event.isComposing || this.#isComposing) return;
    event.preventDefault();
    switch (event.inputType) {
      case "insertLineBreak":
      case "insertParagraph":
        return this.#type(ENTER);
      case "deleteContentBackward":
      case "deleteWordBackward":
        return this.#type(BACKSPACE);
    }
    this.sendText(
      event.data ?? event.dataTransfer?.getData("text/plain") ?? "",
    );
  }

  compose(text: string): void {
    this.#isComposing = true;
    const at = text.length;
    sendInput(this.#target, {
      type: "compose",
      text,
      selection_start: at,
      selection_end: at,
    });
  }

  commit(text: string): void {
    if (text === "") this.compose("");
    else this.sendText(text);
    this.#isComposing = false;
    this.#target.keyboard.value = "";
  }

  sendText(text: string): void {
    for (let at = 0; at < text.length; at += MAX_TEXT) {
      const part = text.slice(at, at + MAX_TEXT);
      sendInput(this.#target, { type: "text", text: part });
    }
  }

  #type(key: Key): void {
    sendInput(this.#target, {
      type: "key",
      action: "down",
      ...key,
      is_repeat: false,
      modifiers: 0,
    });
    this.#sendUp(key, 0);
  }

  #sendUp(key: Key, modifiers: number): void {
    sendInput(this.#target, {
      type: "key",
      action: "up",
      ...key,
      is_repeat: false,
      modifiers,
    });
  }
}

function isProcessed(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === PROCESSED ||
    event.key === "Dead" || event.key === "Process" ||
    event.key === "Unidentified";
}

function isShortcut(event: KeyboardEvent, letter: string): boolean {
  return (event.ctrlKey || (isApple && event.metaKey)) && !event.altKey &&
    event.key.toLowerCase() === letter;
}

function toKey({ key, code, keyCode, location }: KeyboardEvent): Key {
  if (key === "Meta" && isApple) return CONTROL;
  return { key, code, key_code: keyCode, location };
}

function findModifiers(event: KeyboardEvent): number {
  const sum = sumModifiers(event);
  // AltGr is Ctrl and Alt on Windows, which would make a shortcut of a character such as "@".
  return event.getModifierState("AltGraph") ? sum & ~3 : sum;
}
