import { aborted } from "./aborted.ts";
import { givenUp } from "../gateway/capture/extendable_timeout.ts";

/** Who comes first is first served, and one at a time, by key. */
export class Turns {
  /** When the last one that waits will have had its turn. */
  readonly #last = new Map<string, Promise<void>>();

  /** Waits for a turn; its disposal lets the next one in. @throws {GridError} When `signal` is aborted first. */
  async take(key: string, signal: AbortSignal): Promise<Disposable> {
    const before = this.#last.get(key);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const last = Promise.all([before, over]).then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    });
    this.#last.set(key, last);
    await Promise.race([before, aborted(signal)]);
    if (signal.aborted) {
      resolve();
      throw givenUp(signal);
    }
    return { [Symbol.dispose]: resolve };
  }
}
