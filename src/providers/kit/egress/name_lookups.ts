import { abortable } from "../../../async/abortable.ts";
import { Semaphore } from "../../../async/semaphore.ts";

/**
 * Maximum number of concurrent lookups, per session and in this process. The system's resolver blocks a thread for each
 * until it responds or times out, and the process has 32 threads for files and names together. A page with many
 * unresponsive names must not block the grid's file access.
 */
const MAX_PER_SESSION = 4;
const MAX_PER_PROCESS = 16;

const processLimit = new Semaphore(MAX_PER_PROCESS);

/** Limits the concurrent name lookups of one session. */
export class NameLookups {
  readonly #sessionLimit = new Semaphore(MAX_PER_SESSION);

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
    places.use(await this.#sessionLimit.acquire(signal));
    places.use(await processLimit.acquire(signal));
    const held = places.move();
    const found = resolve().finally(() => held.dispose());
    return await abortable(found, signal);
  }
}
