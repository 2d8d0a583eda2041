import type { Clock } from "../../async/clock.ts";
import type { BrowserStats, RunningBrowser } from "../../core/provider.ts";

/** Least time between two measurements of one browser, however often the worker reports. */
const PERIOD_MS = 5_000;

/** Time from the first report of a browser to its first measurement: of one that is there for a moment it says nothing. */
const FIRST_MS = 1_000;

/** Measures one browser, each time in the background: whoever reports waits for no engine. */
export class BrowserMeter {
  readonly #clock: Pick<Clock, "monotonic">;
  #sample: BrowserStats | undefined;
  #isBusy = false;
  #nextAt: number | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** The measurement since it was taken last, if there is one; begins the next. */
  take(browser: RunningBrowser): BrowserStats | undefined {
    const sample = this.#sample;
    this.#sample = undefined;
    const now = this.#clock.monotonic();
    this.#nextAt ??= now + FIRST_MS;
    if (browser.stats && !this.#isBusy && now >= this.#nextAt) {
      this.#nextAt = now + PERIOD_MS;
      void this.#measure(browser.stats());
    }
    return sample;
  }

  async #measure(measuring: Promise<BrowserStats>): Promise<void> {
    this.#isBusy = true;
    try {
      this.#sample = await measuring;
    } catch {
      // A browser that ends, or an engine that is away: the next one may succeed.
    } finally {
      this.#isBusy = false;
    }
  }
}
