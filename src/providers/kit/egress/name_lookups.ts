import { aborted } from "../../../async/aborted.ts";

/**
 * Maximum number of concurrent lookups, per session and in this process. The system's resolver blocks a thread for each
 * until it responds or times out, and the process has 32 threads for files and names together. A page with many
 * unresponsive names must not block the grid's file access.
 */
const MAX_OF_SESSION = 4;
const MAX_OF_PROCESS = 16;

/** A limit on concurrent users, first come, first served. */
class Semaphore {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with a place; disposal frees it. @throws The reason of `signal`, if it is aborted first. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    return { [Symbol.dispose]: () => this.#give() };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = () => {
      // A caller that was just admitted already has a place.
      if (this.#waiting.delete(resolve)) reject(signal.reason);
    };
    this.#waiting.add(resolve);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) return void this.#free++;
    this.#waiting.delete(next);
    next();
  }
}

const ofProcess = new Semaphore(MAX_OF_PROCESS);

/** Limits the concurrent name lookups of one session. */
export class NameLookups {
  readonly #ofSession = new Semaphore(MAX_OF_SESSION);

  /**
   * Calls `resolve` when a place is free, and returns its result.
   *
   * @throws The error of `resolve`, or the reason of `signal`. An aborted lookup keeps its place until it has ended.
   */
  async find<T>(
    resolve: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    using places = new DisposableStack();
    places.use(await this.#ofSession.acquire(signal));
    places.use(await ofProcess.acquire(signal));
    const held = places.move();
    const found = resolve().finally(() => held.dispose());
    await Promise.race([found, aborted(signal)]);
    if (!signal.aborted) return await found;
    found.catch(() => {});
    throw signal.reason;
  }
}
