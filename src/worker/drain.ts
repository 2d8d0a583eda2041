import type { Clock } from "../async/clock.ts";

/** The wish that a worker leaves: its own, or ordered by the server, which may take it back. */
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

  /** The time for what is held to end by itself is over. */
  get isExpired(): boolean {
    return this.#until <= this.#clock.monotonic();
  }

  get #until(): number {
    return Math.min(
      this.#localUntil ?? Infinity,
      this.#serverUntil ?? Infinity,
    );
  }

  /** The worker was told to end on its own host. The first time counts. */
  begin(timeoutMs: number): void {
    this.#localUntil ??= this.#clock.monotonic() + timeoutMs;
  }

  /** What the server wants now; undefined: no drain, or no longer. */
  setServerDrain(timeoutMs: number | undefined): void {
    this.#serverUntil = timeoutMs === undefined
      ? undefined
      : this.#clock.monotonic() + timeoutMs;
  }
}
