/** Aborts its signal when work that should get somewhere has not told so for a while. */
export class Watchdog implements Disposable {
  readonly #starved = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(ms: number) {
    this.feed(ms);
  }

  get signal(): AbortSignal {
    return this.#starved.signal;
  }

  /** Tells that it has got somewhere, and how long it may take until it does so again. */
  feed(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#timer = setTimeout(
      () =>
        this.#starved.abort(
          new Error(`it made no progress for ${ms / 1_000} s`),
        ),
      ms,
    );
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
