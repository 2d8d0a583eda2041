/** Limits of the open streams of a server. */
export interface StreamLimits {
  readonly max_streams: number;
  readonly max_streams_per_key: number;
}

/** Counts open streams, in total and of each caller. */
export class StreamLimiter {
  readonly #limits: StreamLimits;
  readonly #reject: (reason: string) => Error;
  /** Open streams by caller. */
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** @param reject Creates the error of a stream that is one too many. */
  constructor(limits: StreamLimits, reject: (reason: string) => Error) {
    this.#limits = limits;
    this.#reject = reject;
  }

  /** Adds a stream of a caller until it is disposed. @throws {Error} If there are too many. */
  acquire(caller: string): Disposable {
    const { max_streams, max_streams_per_key } = this.#limits;
    const count = this.#counts.get(caller) ?? 0;
    if (count >= max_streams_per_key) {
      throw this.#reject(`the key has ${count}`);
    }
    if (this.#total >= max_streams) {
      throw this.#reject(`the server has ${this.#total}`);
    }
    this.#counts.set(caller, count + 1);
    this.#total++;
    return { [Symbol.dispose]: () => this.#release(caller) };
  }

  #release(caller: string): void {
    const count = this.#counts.get(caller) ?? 0;
    if (count > 1) this.#counts.set(caller, count - 1);
    else this.#counts.delete(caller);
    this.#total--;
  }
}
