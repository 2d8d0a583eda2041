import {
  type InputTarget,
  locate,
  sendInput,
  sumModifiers,
} from "./control_input.ts";
import type { Point } from "../connection/picture.ts";

const BUTTONS = ["left", "middle", "right", "back", "forward"] as const;

/** Bits of `MouseEvent.buttons`, by the number of the button. */
const BITS = [1, 4, 2, 8, 16] as const;

/** Shortest time between two moves without a button: 60 a second. */
const MOVE_MS = 1_000 / 60;

/** Height of a line, for wheels that count lines. */
const LINE_PX = 40;

/** Largest distance of one turn of the wheel that the server accepts. */
const MAX_DELTA = 10_000;

/** Sends the mouse over the picture to the page, until the signal is aborted. */
export function bindMouse(target: InputTarget, signal: AbortSignal): void {
  const mouse = new MouseInput(target);
  const { canvas } = target;
  const options = { signal };
  canvas.addEventListener("mousedown", (event) => mouse.press(event), options);
  canvas.addEventListener("contextmenu", preventDefault, options);
  canvas.addEventListener("auxclick", preventDefault, options);
  canvas.addEventListener("wheel", (event) => mouse.turn(event), {
    signal,
    passive: false,
  });
  // The document receives the moves and the release of a drag that leaves the picture.
  document.addEventListener("mousemove", (event) => mouse.move(event), options);
  document.addEventListener(
    "mouseup",
    (event) => mouse.release(event),
    options,
  );
  addEventListener("blur", () => mouse.releaseAll(), options);
  signal.addEventListener("abort", () => mouse.releaseAll());
}

function preventDefault(event: Event): void {
  event.preventDefault();
}

class MouseInput {
  readonly #target: InputTarget;
  /** Buttons that were pressed over the picture, as bits. */
  #pressed = 0;
  #last: Point = { x: 0, y: 0 };
  #movedAt = -Infinity;
  #waitingMove: MouseEvent | undefined;
  #moveTimer: ReturnType<typeof setTimeout> | undefined;
  #turned = { x: 0, y: 0 };
  #wheelTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: InputTarget) {
    this.#target = target;
  }

  press(event: MouseEvent): void {
    event.preventDefault();
    this.#target.keyboard.focus({ preventScroll: true });
    this.#sendWaitingMove();
    this.#pressed |= BITS[event.button] ?? 0;
    this.#send("down", event, countClicks(event));
  }

  release(event: MouseEvent): void {
    const bit = BITS[event.button] ?? 0;
    if ((this.#pressed & bit) === 0) return;
    event.preventDefault();
    this.#pressed &= ~bit;
    this.#send("up", event, countClicks(event));
  }

  move(event: MouseEvent): void {
    // A button that was released where this page does not receive it.
    if (this.#pressed !== 0 && event.buttons === 0) this.releaseAll();
    // While a button is pressed, a page needs each move in its time: drag and drop counts them.
    if (this.#pressed !== 0) return this.#send("move", event);
    if (event.target !== this.#target.canvas) return;
    const rest = this.#movedAt + MOVE_MS - performance.now();
    this.#waitingMove = event;
    if (rest <= 0) return this.#sendWaitingMove();
    this.#moveTimer ??= setTimeout(() => this.#sendWaitingMove(), rest);
  }

  turn(event: WheelEvent): void {
    event.preventDefault();
    const point = locate(this.#target, event);
    if (!point) return;
    this.#last = point;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE
      ? LINE_PX
      : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
      ? this.#target.canvas.clientHeight
      : 1;
    this.#turned.x += event.deltaX * unit;
    this.#turned.y += event.deltaY * unit;
    const modifiers = sumModifiers(event);
    this.#wheelTimer ??= setTimeout(() => this.#sendWheel(modifiers), MOVE_MS);
  }

  releaseAll(): void {
    clearTimeout(this.#moveTimer);
    clearTimeout(this.#wheelTimer);
    this.#moveTimer = this.#wheelTimer = this.#waitingMove = undefined;
    this.#turned = { x: 0, y: 0 };
    for (const [number, bit] of BITS.entries()) {
      if ((this.#pressed & bit) === 0) continue;
      this.#pressed &= ~bit;
      sendInput(this.#target, {
        type: "mouse",
        action: "up",
        ...this.#last,
        modifiers: 0,
        button: BUTTONS[number] ?? "none",
        buttons: this.#pressed,
        click_count: 1,
      });
    }
  }

  #sendWaitingMove(): void {
    clearTimeout(this.#moveTimer);
    this.#moveTimer = undefined;
    const event = this.#waitingMove;
    this.#waitingMove = undefined;
    if (!event) return;
    this.#movedAt = performance.now();
    this.#send("move", event);
  }

  #sendWheel(modifiers: number): void {
    this.#wheelTimer = undefined;
    const { x, y } = this.#turned;
    this.#turned = { x: 0, y: 0 };
    sendInput(this.#target, {
      type: "wheel",
      ...this.#last,
      modifiers,
      delta_x: limit(x),
      delta_y: limit(y),
    });
  }

  #findPressed(): (typeof BUTTONS)[number] | "none" {
    return BUTTONS.find((_, at) => (this.#pressed & (BITS[at] ?? 0)) !== 0) ??
      "none";
  }

  #send(
    action: "move" | "down" | "up",
    event: MouseEvent,
    clicks: number = 0,
  ): void {
    const point = locate(this.#target, event);
    if (!point) return;
    this.#last = point;
    sendInput(this.#target, {
      type: "mouse",
      action,
      ...point,
      modifiers: sumModifiers(event),
      // A drag of an element begins only with the button in its moves.
      button: action === "move"
        ? this.#findPressed()
        : BUTTONS[event.button] ?? "none",
      buttons: this.#pressed,
      click_count: clicks,
    });
  }
}

function countClicks({ detail }: MouseEvent): number {
  return Math.min(Math.max(detail, 1), 3);
}

function limit(delta: number): number {
  return Math.min(Math.max(delta, -MAX_DELTA), MAX_DELTA);
}
