import type { Clock } from "./clock.ts";

/** A timer on a clock. A later start replaces an earlier one; disposal stops it. */
export class Timer implements Disposable {
  readonly #clock: Pick<Clock, "sleep">;
  #started: AbortController | undefined;

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /** True from the start until `act` is called or the timer is stopped. */
  get isRunning(): boolean {
    return this.#started !== undefined;
  }

  /** Calls `act` once, after `ms`. */
  start(ms: number, act: () => void): void {
    this.stop();
    const started = new AbortController();
    this.#started = started;
    this.#clock.sleep(ms, started.signal).then(() => {
      if (this.#started !== started) return;
      this.#started = undefined;
      act();
    }, () => {});
  }

  stop(): void {
    this.#started?.abort();
    this.#started = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
