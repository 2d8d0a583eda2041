/** Time in which requests are collected, so that a batch of events causes one load. */
const COLLECT_MS = 20;

/** Shortest time between the begins of two loads. */
const MIN_INTERVAL_MS = 1_000;

/** Pause before a load that failed is repeated. */
const RETRY_MS = 3_000;

/** Outcome of a load: `retry` if another attempt may succeed without an event. */
export type LoadResult = "settled" | "retry";

/** Repeats a load on request: one at a time, at most one a second, and none while the page is hidden. */
export class Reloader implements Disposable {
  readonly #load: (signal: AbortSignal) => Promise<LoadResult>;
  readonly #controller = new AbortController();
  readonly #everyMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Infinity;
  #startedAt = -Infinity;
  #isLoading = false;
  #isStale = false;

  /** Loads once at once. `load` does not reject. */
  constructor(
    load: (signal: AbortSignal) => Promise<LoadResult>,
    { everyMs }: { readonly everyMs?: number },
  ) {
    this.#load = load;
    this.#everyMs = everyMs;
    document.addEventListener("visibilitychange", this.#onVisible);
    void this.#start();
  }

  /** Requests another load. */
  request(): void {
    this.#isStale = true;
    if (this.#isLoading || document.hidden) return;
    const rest = this.#startedAt + MIN_INTERVAL_MS - performance.now();
    this.#schedule(Math.max(COLLECT_MS, rest));
  }

  /** Ends the loads. */
  [Symbol.dispose](): void {
    document.removeEventListener("visibilitychange", this.#onVisible);
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  readonly #onVisible = (): void => {
    if (this.#isStale) this.request();
  };

  /** Keeps a load that is scheduled for an earlier time. */
  #schedule(ms: number): void {
    const dueAt = performance.now() + ms;
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (document.hidden) this.#isStale = true;
      else void this.#start();
    }, ms);
  }

  async #start(): Promise<void> {
    this.#isLoading = true;
    this.#isStale = false;
    this.#startedAt = performance.now();
    const result = await this.#load(this.#controller.signal);
    this.#isLoading = false;
    if (this.#controller.signal.aborted) return;
    if (this.#isStale) this.request();
    else if (result === "retry") this.#schedule(RETRY_MS);
    else if (this.#everyMs !== undefined) this.#schedule(this.#everyMs);
  }
}
