import type { Clock } from "../../../async/clock.ts";
import { Timer } from "../../../async/timer.ts";
import type { Picture } from "./picture.ts";

/** Share of a viewer's interval after which its next picture may be sent, so that two rates that are equal do not beat. */
const TOLERANCE = 0.9;

/**
 * Sends the newest picture to one viewer: the next one only after it has drawn the last one, and no faster than its rate.
 * Older pictures are dropped, so that a slow viewer costs no memory.
 */
export class PicturePacing implements Disposable {
  readonly #send: (picture: Picture) => void;
  readonly #clock: Clock;
  readonly #timer: Timer;
  #maxFps = 10;
  #newest: Picture | undefined;
  #sentSeq = 0;
  #sentAt = -Infinity;
  #isReady = true;

  constructor(send: (picture: Picture) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
    this.#timer = new Timer(clock);
  }

  /** Highest number of pictures a second. */
  get maxFps(): number {
    return this.#maxFps;
  }

  set maxFps(value: number) {
    this.#maxFps = value;
  }

  /** True if the viewer has drawn the last picture. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Sends a picture as soon as the viewer may receive one, unless a newer one follows before. */
  offer(picture: Picture): void {
    this.#newest = picture;
    this.#flush();
  }

  /** Records that the viewer has drawn picture `seq`. */
  acknowledge(seq: number): void {
    if (seq !== this.#sentSeq) return;
    this.#isReady = true;
    this.#flush();
  }

  /** Forgets the pictures of a page that the viewer no longer sees. */
  reset(): void {
    this.#newest = undefined;
  }

  [Symbol.dispose](): void {
    this.#timer.stop();
    this.#newest = undefined;
  }

  #flush(): void {
    this.#timer.stop();
    const picture = this.#newest;
    if (!this.#isReady || !picture) return;
    const waitMs = this.#sentAt + TOLERANCE * 1_000 / this.#maxFps -
      this.#clock.monotonic();
    if (waitMs > 0) {
      return this.#timer.start(waitMs, () => this.#flush());
    }
    this.#newest = undefined;
    this.#isReady = false;
    this.#sentSeq = picture.seq;
    this.#sentAt = this.#clock.monotonic();
    this.#send(picture);
  }
}
