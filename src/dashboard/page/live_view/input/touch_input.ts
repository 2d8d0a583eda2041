import { type InputTarget, locate, sendInput } from "./control_input.ts";
import type { Point } from "../connection/picture.ts";

/** Time after which a touch that does not move is a click of the right button. */
const LONG_PRESS_MS = 500;

/** Distance from which a touch is a movement, in CSS pixels of this page. */
const SLOP_PX = 10;

/** Sends touches of the picture to the page, until the signal is aborted. */
export function bindTouch(target: InputTarget, signal: AbortSignal): void {
  const touches = new TouchInput(target);
  const options = { signal, passive: false };
  const { canvas } = target;
  canvas.addEventListener("touchstart", (event) => touches.start(event), {
    ...options,
  });
  canvas.addEventListener("touchmove", (event) => touches.move(event), options);
  canvas.addEventListener("touchend", (event) => touches.end(event), options);
  canvas.addEventListener("touchcancel", () => touches.cancel(), options);
  signal.addEventListener("abort", () => touches.cancel());
}

/**
 * Touches of the visitor. A page that emulates a touch screen receives them; for others, a tap is a click, a long press
 * a click of the right button, a movement turns the wheel, and two fingers enlarge the picture in this page only.
 */
class TouchInput {
  readonly #target: InputTarget;
  /** Small numbers of the touches by their identifiers, which can be large. */
  readonly #ids = new Map<number, number>();
  #begin: Touch | undefined;
  #last: Touch | undefined;
  #isMoving = false;
  #longPress: ReturnType<typeof setTimeout> | undefined;

  constructor(target: InputTarget) {
    this.#target = target;
  }

  start(event: TouchEvent): void {
    clearTimeout(this.#longPress);
    // Two fingers enlarge the picture, which is small on phones.
    if (!this.#isTouchScreen && event.touches.length > 1) {
      return void (this.#begin = undefined);
    }
    // Else the browser repeats the touch as events of a mouse.
    event.preventDefault();
    if (this.#isTouchScreen) return this.#sendTouches("start", event);
    const [touch] = event.touches;
    this.#begin = this.#last = touch;
    this.#isMoving = false;
    this.#longPress = setTimeout(() => {
      if (this.#begin && !this.#isMoving) this.#click("right", this.#begin);
      this.#begin = undefined;
    }, LONG_PRESS_MS);
  }

  move(event: TouchEvent): void {
    if (!this.#isTouchScreen && event.touches.length > 1) return;
    event.preventDefault();
    if (this.#isTouchScreen) return this.#sendTouches("move", event);
    const [touch] = event.touches;
    const begin = this.#begin;
    const last = this.#last;
    if (!touch || !begin || !last) return;
    const distance = Math.hypot(
      touch.clientX - begin.clientX,
      touch.clientY - begin.clientY,
    );
    if (distance > SLOP_PX) this.#isMoving = true;
    const point = locate(this.#target, begin);
    if (!this.#isMoving || !point) return;
    clearTimeout(this.#longPress);
    this.#last = touch;
    sendInput(this.#target, {
      type: "wheel",
      ...point,
      modifiers: 0,
      delta_x: last.clientX - touch.clientX,
      delta_y: last.clientY - touch.clientY,
    });
  }

  end(event: TouchEvent): void {
    event.preventDefault();
    if (this.#isTouchScreen) {
      // The page sees from the remaining touches which one has ended.
      return this.#sendTouches(
        event.touches.length > 0 ? "move" : "end",
        event,
      );
    }
    clearTimeout(this.#longPress);
    if (event.touches.length > 0) return;
    if (this.#begin && !this.#isMoving) {
      this.#target.keyboard.focus({ preventScroll: true });
      this.#click("left", this.#begin);
    }
    this.#begin = undefined;
  }

  cancel(): void {
    clearTimeout(this.#longPress);
    this.#begin = undefined;
    if (this.#ids.size === 0) return;
    this.#ids.clear();
    sendInput(this.#target, {
      type: "touch",
      action: "cancel",
      points: [],
      modifiers: 0,
    });
  }

  get #isTouchScreen(): boolean {
    return this.#target.viewer.tabs.peek()?.is_touch === true;
  }

  #sendTouches(action: "start" | "move" | "end", event: TouchEvent): void {
    const touches = [...event.touches].slice(0, 10);
    const kept = new Set(touches.map(({ identifier }) => identifier));
    for (const id of this.#ids.keys()) if (!kept.has(id)) this.#ids.delete(id);
    const points = touches.flatMap((touch) => {
      const point = locate(this.#target, touch);
      return point ? [{ id: this.#number(touch.identifier), ...point }] : [];
    });
    sendInput(this.#target, { type: "touch", action, points, modifiers: 0 });
    if (action === "end") {
      this.#target.keyboard.focus({ preventScroll: true });
    }
  }

  #number(identifier: number): number {
    const known = this.#ids.get(identifier);
    if (known !== undefined) return known;
    const used = new Set(this.#ids.values());
    let number = 0;
    while (used.has(number)) number++;
    this.#ids.set(identifier, number);
    return number;
  }

  #click(button: "left" | "right", touch: Touch): void {
    const point: Point | undefined = locate(this.#target, touch);
    if (!point) return;
    const shared = { type: "mouse", ...point, modifiers: 0 } as const;
    sendInput(this.#target, {
      ...shared,
      action: "move",
      button: "none",
      buttons: 0,
      click_count: 0,
    });
    for (const action of ["down", "up"] as const) {
      const buttons = action === "up" ? 0 : button === "left" ? 1 : 2;
      sendInput(this.#target, {
        ...shared,
        action,
        button,
        buttons,
        click_count: 1,
      });
    }
  }
}
