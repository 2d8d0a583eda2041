import type { Clock } from "../../../async/clock.ts";
import { Timer } from "../../../async/timer.ts";
import { encodePicture, frameSchema, type Picture } from "./picture.ts";
import type { BrowserCommand } from "../browser_commands.ts";

/** Quality of the JPEG, from 0 to 100. */
const QUALITY = 50;

/** Sides of pictures: a picture is at least as large as its largest viewer shows it, up to the next of these. */
const SIDES = [480, 800, 1_280, 1_920, 2_560] as const;

/** Pause after which the screencast of a hidden page starts again: it sends one picture at each start. */
const HIDDEN_MS = 2_000;

/** Pause without a picture after which a page counts as hanging. */
const FIRST_PICTURE_MS = 2_000;

/** Pause before a screencast without a picture starts again: first, and at most. It doubles each time. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 4_000;

/** A viewer of a screencast. */
export interface ScreencastViewer {
  /** Size at which the picture is shown, in physical pixels. */
  readonly size: { readonly width: number; readonly height: number };
  readonly pacing: {
    readonly maxFps: number;
    readonly isReady: boolean;
    offer(picture: Picture): void;
  };
}

/** Environment of a {@linkcode Screencast}. */
export interface ScreencastEvents {
  /** Sends a command to the page. */
  readonly post: (command: BrowserCommand) => void;
  readonly clock: Clock;
  readonly nextSeq: () => number;
  /** Called when the first picture does not come in time, and when one comes after that. */
  readonly onHanging: (isHanging: boolean) => void;
}

/**
 * The screencast of one page, shared by all its viewers; it runs only while there is one.
 *
 * Its size fits the largest viewer and its rate the fastest. The rate is limited by delayed acknowledgements, never by
 * pictures that are held back: so the picture that a viewer receives is always the newest.
 */
export class Screencast implements Disposable {
  readonly #events: ScreencastEvents;
  readonly #viewers = new Set<ScreencastViewer>();
  #side: number | undefined;
  #last: Picture | undefined;
  #isVisible = true;
  /** Id of the frame that the browser waits for an acknowledgement of. */
  #waiting: number | undefined;
  #acknowledgedAt = -Infinity;
  #isHanging = false;
  readonly #ackTimer: Timer;
  readonly #firstTimer: Timer;
  readonly #hiddenTimer: Timer;

  constructor(events: ScreencastEvents) {
    this.#events = events;
    this.#ackTimer = new Timer(events.clock);
    this.#firstTimer = new Timer(events.clock);
    this.#hiddenTimer = new Timer(events.clock);
  }

  /** True while the page is shown in its window, as far as known. */
  get isVisible(): boolean {
    return this.#isVisible;
  }

  get isHanging(): boolean {
    return this.#isHanging;
  }

  /** Adds a viewer, which receives the last picture at once: a still page sends no other. */
  add(viewer: ScreencastViewer): void {
    this.#viewers.add(viewer);
    this.update();
    if (this.#last) viewer.pacing.offer(this.#last);
  }

  remove(viewer: ScreencastViewer): void {
    if (this.#viewers.delete(viewer)) this.update();
  }

  /** Starts, stops or resizes the screencast as its viewers need it. */
  update(): void {
    const side = chooseSide([...this.#viewers]);
    if (side === this.#side) return this.#acknowledge();
    if (this.#side !== undefined) this.#stop();
    this.#side = side;
    if (side === undefined) this.#last = undefined;
    else this.#start(side);
  }

  /** Handles `Page.screencastFrame`. */
  receiveFrame(params: unknown): void {
    const frame = frameSchema.parse(params);
    this.#firstTimer.stop();
    this.#setHanging({ isHanging: false });
    // Frames of a screencast that has been stopped may still arrive.
    if (this.#side === undefined) return;
    this.#waiting = frame.sessionId;
    this.#last = encodePicture(this.#events.nextSeq(), frame);
    for (const { pacing } of this.#viewers) pacing.offer(this.#last);
    this.#acknowledge();
  }

  /** Handles `Page.screencastVisibilityChanged`. */
  setVisible({ visible }: { readonly visible: boolean }): void {
    this.#isVisible = visible;
    this.#hiddenTimer.stop();
    if (visible || this.#side === undefined) return;
    this.#hiddenTimer.start(HIDDEN_MS, () => this.restart());
  }

  /** Asks for the next picture once a viewer is ready and the rate allows it. Call it when a viewer becomes ready. */
  viewerIsReady(): void {
    this.#acknowledge();
  }

  [Symbol.dispose](): void {
    this.#viewers.clear();
    this.#clearTimers();
  }

  /** Expects a picture of a page that has just navigated. */
  expectPicture(): void {
    if (this.#side === undefined || this.#waiting !== undefined) return;
    this.#awaitPicture();
  }

  /** Starts the screencast again, if it runs: for a page that was attached after its first viewer came. */
  restart(): void {
    if (this.#side === undefined) return;
    this.#events.post({ method: "Page.stopScreencast" });
    this.#start(this.#side);
  }

  #start(side: number): void {
    this.#waiting = undefined;
    this.#events.post({
      method: "Page.startScreencast",
      params: {
        format: "jpeg",
        quality: QUALITY,
        maxWidth: side,
        maxHeight: side,
        maxFramesInFlight: 1,
        // The last change of a page that then stays still must not be lost.
        sendLastFrame: true,
      },
    });
    this.#awaitPicture();
  }

  /** Starts the screencast again if no picture comes: one that starts while the page navigates sends none. */
  #awaitPicture(waitMs = RETRY_MS): void {
    this.#firstTimer.start(waitMs, () => {
      if (waitMs >= FIRST_PICTURE_MS) this.#setHanging({ isHanging: true });
      this.restart();
      this.#awaitPicture(Math.min(2 * waitMs, MAX_RETRY_MS));
    });
  }

  #stop(): void {
    this.#clearTimers();
    this.#events.post({ method: "Page.stopScreencast" });
  }

  #acknowledge(): void {
    this.#ackTimer.stop();
    const id = this.#waiting;
    const viewers = [...this.#viewers];
    const isWanted = viewers.some(({ pacing }) => pacing.isReady);
    if (id === undefined || !isWanted) return;
    const maxFps = Math.max(...viewers.map(({ pacing }) => pacing.maxFps));
    const waitMs = this.#acknowledgedAt + 1_000 / maxFps -
      this.#events.clock.monotonic();
    if (waitMs > 0) {
      return this.#ackTimer.start(waitMs, () => this.#acknowledge());
    }
    this.#waiting = undefined;
    this.#acknowledgedAt = this.#events.clock.monotonic();
    this.#events.post({
      method: "Page.screencastFrameAck",
      params: { sessionId: id },
    });
  }

  #setHanging({ isHanging }: { readonly isHanging: boolean }): void {
    if (isHanging === this.#isHanging) return;
    this.#isHanging = isHanging;
    this.#events.onHanging(isHanging);
  }

  #clearTimers(): void {
    this.#ackTimer.stop();
    this.#firstTimer.stop();
    this.#hiddenTimer.stop();
  }
}

/** Returns the side of the picture for viewers; undefined if there is none. */
function chooseSide(viewers: readonly ScreencastViewer[]): number | undefined {
  if (viewers.length === 0) return undefined;
  const wanted = Math.max(
    ...viewers.map(({ size }) => Math.max(size.width, size.height)),
  );
  return SIDES.find((side) => side >= wanted) ?? SIDES.at(-1);
}
