import { aborted } from "../../core/aborted.ts";

/**
 * Most lookups of one session's names at once, and of all sessions of this process. The system's resolver holds a thread
 * for each until it answers or gives up, and the process has 32 of them for files and names together: a page that asks
 * for names whose servers are silent must not keep the grid from its files.
 */
const MAX_OF_SESSION = 4;
const MAX_OF_PROCESS = 16;

/** Lets so many in at once, and the others as soon as one has gone, the first that came first. */
class Places {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with a place, which its disposal frees. @throws The reason of `signal`, if it is aborted before. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    return { [Symbol.dispose]: () => this.#give() };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = () => {
      // Whose turn has come already has a place.
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

const ofProcess = new Places(MAX_OF_PROCESS);

/** The lookups of one session's names: few at once, however many names its pages ask for. */
export class NameLookups {
  readonly #ofSession = new Places(MAX_OF_SESSION);

  /**
   * Returns what `resolve` finds, when it is this name's turn.
   *
   * @throws What `resolve` rejects with, or the reason of `signal`: a lookup that is given up keeps its place until it
   *   has ended.
   */
  async find<T>(
    resolve: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    using places = new DisposableStack();
    places.use(await this.#ofSession.take(signal));
    places.use(await ofProcess.take(signal));
    const held = places.move();
    const found = resolve().finally(() => held.dispose());
    await Promise.race([found, aborted(signal)]);
    if (!signal.aborted) return await found;
    found.catch(() => {});
    throw signal.reason;
  }
}
