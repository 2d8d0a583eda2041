import { abortable } from "./abortable.ts";

/** Locks by key, each acquired by one caller at a time in order of arrival. */
export class KeyedMutex {
  /** By key: settles when the last caller in the queue has released the lock. */
  readonly #last = new Map<string, Promise<void>>();

  /** Acquires the lock of `key`; disposal releases it. @throws The signal's reason, if it is aborted first. */
  async acquire(key: string, signal: AbortSignal): Promise<Disposable> {
    const before = this.#last.get(key);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const last = Promise.all([before, over]).then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    });
    this.#last.set(key, last);
    try {
      await abortable(Promise.resolve(before), signal);
      return { [Symbol.dispose]: resolve };
    } catch (error) {
      resolve();
      throw error;
    }
  }
}
