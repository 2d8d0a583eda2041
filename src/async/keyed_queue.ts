/** Runs the tasks of a key one at a time, in order of arrival. Tasks of different keys run concurrently. */
export class KeyedQueue {
  /** By key: resolves when the last task in the queue has ended. */
  readonly #last = new Map<string, Promise<void>>();

  /** Runs a task after the earlier ones of its key, even if those fail. @throws The error of the task. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(task);
    const last = result.then(() => {}, () => {}).then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    });
    this.#last.set(key, last);
    return await result;
  }

  /** Resolves when all tasks that have been added so far have ended. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
