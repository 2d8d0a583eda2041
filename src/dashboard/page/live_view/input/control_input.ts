import type { ViewerMessage } from "../../../../apps/live/schemas/viewer_messages.ts";
import { type Point, toPage } from "../connection/picture.ts";
import type { Viewer } from "../connection/viewer.ts";

/** The destination of the visitor's input. */
export interface InputTarget {
  readonly viewer: Viewer;
  readonly canvas: HTMLCanvasElement;
  /** Receives the keyboard's input. */
  readonly keyboard: HTMLTextAreaElement;
}

/** The modifier keys that an event reports. */
export interface ModifierState {
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}

/** True on Apple's systems, where Command has the part that Control has in the browser of a session. */
export const isApple: boolean = /Mac|iPhone|iPad/.test(
  globalThis.navigator?.platform ?? "",
);

/** Sum of an event's modifiers: Alt 1, Ctrl 2, Meta 4, Shift 8. */
export function sumModifiers(
  { altKey, ctrlKey, metaKey, shiftKey }: ModifierState,
): number {
  const hasCtrl = ctrlKey || (isApple && metaKey);
  const hasMeta = metaKey && !isApple;
  return (altKey ? 1 : 0) + (hasCtrl ? 2 : 0) + (hasMeta ? 4 : 0) +
    (shiftKey ? 8 : 0);
}

/** Returns the position in the page of a point in the window; undefined before the first picture. */
export function locate(
  { viewer, canvas }: InputTarget,
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
): Point | undefined {
  const head = viewer.painter.shown.value;
  if (!head) return undefined;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return toPage(
    { x: clientX - left, y: clientY - top },
    { x: width, y: height },
    head,
  );
}

/** Sends input, as long as this viewer has control. */
export function sendInput(
  { viewer }: InputTarget,
  message: ViewerMessage,
): void {
  if (viewer.isControlling.peek()) viewer.send(message);
}
