import { isApple } from "./control_input.ts";

/** Moves the focus into the page; with `opensSoftKeyboard`, a phone opens its keyboard. */
export function focusKeyboard(
  { opensSoftKeyboard }: { readonly opensSoftKeyboard: boolean },
): void {
  const keyboard = document.querySelector<HTMLElement>(".live-keyboard");
  if (!keyboard) return;
  if (opensSoftKeyboard) {
    keyboard.inputMode = "text";
    // A field that already has the focus opens no keyboard.
    keyboard.blur();
  }
  keyboard.focus({ preventScroll: true });
}

/** Moves the focus from the page to the buttons below it. */
export function focusControls(): void {
  document.querySelector<HTMLElement>(".live-controls button")?.focus();
}

/** Returns true on phones and tablets. */
export function isTouchDevice(): boolean {
  return (isApple && navigator.maxTouchPoints > 1) ||
    matchMedia("(pointer: coarse)").matches;
}
