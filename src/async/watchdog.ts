/**
 * A timer that aborts its signal unless it is fed in time.
 *
 * Unlike a deadline, its disposal does not abort the signal: work that has ended is not disturbed.
 */
export class Watchdog implements Disposable {
  readonly #controller = new AbortController();
  readonly #message: ((ms: number) => string) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  /** @param message Returns the message of the signal's reason, for the expired time. */
  constructor(ms: number, message?: (ms: number) => string) {
    this.#message = message;
    this.feed(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Restarts the timer with `ms`. */
  feed(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isDisposed) return;
    this.#timer = setTimeout(() => {
      const text = this.#message?.(ms) ??
        `it made no progress for ${ms / 1_000} s`;
      this.#controller.abort(new Error(text));
    }, ms);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }
}
