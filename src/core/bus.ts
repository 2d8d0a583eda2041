/** An event in this process. Other servers do not receive it. */
export interface BusEvent {
  /** Name of the event: `session_created`, `browser_started`, `worker_commanded`, ... */
  readonly type: string;
  /** Id of the session or worker. */
  readonly subject: string;
  readonly work_pool_id?: string;
  readonly worker_id?: string;
  /** True for a started browser that is reachable directly or through a tunnel, neither of which is verified yet. */
  readonly is_reach_open?: boolean;
}

/** Collects events until they are read. */
export interface Latch extends Disposable {
  /**
   * Resolves with the types of the events since the last call, as soon as there is one; with none if `signal` is aborted
   * first.
   */
  next(signal: AbortSignal): Promise<ReadonlySet<string>>;
}

/** Events inside one process. They are hints to read the database, which decides. */
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

  /** Collects matching events from now on, so that none is missed between two reads of the database. */
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
   * Resolves with the next matching event, or with undefined if `signal` is aborted first.
   *
   * To miss no event, call it *before* reading the database.
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
