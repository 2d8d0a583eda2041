/** Something that happened in this process. Other replicas do not hear of it. */
export interface BusEvent {
  /** What: `session_created`, `browser_started`, `worker_commanded`, … */
  readonly type: string;
  /** Id of the session or worker that it is about. */
  readonly subject: string;
  readonly work_pool_id?: string;
  readonly worker_id?: string;
  /** Of a browser that has started: there are two ways to it, and nobody knows yet which to take. */
  readonly is_reach_open?: boolean;
}

/** Remembers what has come to pass until it is asked for. */
export interface Latch extends Disposable {
  /**
   * Resolves with the types of the events since it was asked last, as soon as there is one; with none when `signal` is
   * aborted first.
   */
  next(signal: AbortSignal): Promise<ReadonlySet<string>>;
}

/** Events inside one process: a hint to look at the database, never the truth itself. */
export class Bus {
  readonly #listeners = new Set<(event: BusEvent) => void>();

  publish(event: BusEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Calls `listener`, which must not throw, with every event until disposed. */
  subscribe(listener: (event: BusEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Remembers events that `matches` from now on, so that nothing is missed between two looks at the database. */
  latch(matches: (event: BusEvent) => boolean): Latch {
    let seen = new Set<string>();
    let wake = () => {};
    const subscription = this.subscribe((event) => {
      if (!matches(event)) return;
      seen.add(event.type);
      wake();
    });
    return {
      async next(signal) {
        if (seen.size === 0 && !signal.aborted) {
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          signal.addEventListener("abort", wake, { once: true });
          await promise;
          signal.removeEventListener("abort", wake);
        }
        const types = seen;
        seen = new Set();
        return types;
      },
      [Symbol.dispose]: () => subscription[Symbol.dispose](),
    };
  }

  /**
   * Resolves with the next event that `matches`, or with undefined when `signal` is aborted first.
   *
   * To miss nothing, call it *before* you look at the database.
   */
  next(
    matches: (event: BusEvent) => boolean,
    signal: AbortSignal,
  ): Promise<BusEvent | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const finish = (event?: BusEvent) => {
        subscription[Symbol.dispose]();
        signal.removeEventListener("abort", onAbort);
        resolve(event);
      };
      const onAbort = () => finish();
      const subscription = this.subscribe((event) => {
        if (matches(event)) finish(event);
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
