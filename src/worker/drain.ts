import type { Clock } from "../async/clock.ts";

/** The drain of a worker, begun on its host or ordered by the server. The server can withdraw only its own order. */
export class Drain {
  readonly #clock: Pick<Clock, "monotonic">;
  #localUntil: number | undefined;
  #serverUntil: number | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  get isActive(): boolean {
    return this.#until < Infinity;
  }

  /** True once the time that running sessions had to end has passed. */
  get isExpired(): boolean {
    return this.#until <= this.#clock.monotonic();
  }

  get #until(): number {
    return Math.min(
      this.#localUntil ?? Infinity,
      this.#serverUntil ?? Infinity,
    );
  }

  /** Begins a drain from the worker's host. Later calls do not change the timeout. */
  begin(timeoutMs: number): void {
    this.#localUntil ??= this.#clock.monotonic() + timeoutMs;
  }

  /** Sets the server's order to drain; undefined withdraws it. */
  setServerDrain(timeoutMs: number | undefined): void {
    this.#serverUntil = timeoutMs === undefined
      ? undefined
      : this.#clock.monotonic() + timeoutMs;
  }
}
