import type { Clock } from "../../async/clock.ts";
import type { BrowserStats, RunningBrowser } from "../../core/provider.ts";

/** Minimum time between two measurements of one browser, however often the worker reports. */
const PERIOD_MS = 5_000;

/** Time from a browser's first report to its first measurement. Browsers that end earlier are not measured. */
const FIRST_MS = 1_000;

/** Measures one browser in the background, so that no report waits for the engine. */
export class BrowserMeter {
  readonly #clock: Pick<Clock, "monotonic">;
  #sample: BrowserStats | undefined;
  #isMeasuring = false;
  #nextAt: number | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Returns the measurement since the last call, if there is one, and begins the next if it is due. */
  take(browser: Pick<RunningBrowser, "stats">): BrowserStats | undefined {
    const sample = this.#sample;
    this.#sample = undefined;
    const now = this.#clock.monotonic();
    this.#nextAt ??= now + FIRST_MS;
    if (browser.stats && !this.#isMeasuring && now >= this.#nextAt) {
      this.#nextAt = now + PERIOD_MS;
      void this.#measure(browser.stats());
    }
    return sample;
  }

  async #measure(measuring: Promise<BrowserStats>): Promise<void> {
    this.#isMeasuring = true;
    try {
      this.#sample = await measuring;
    } catch {
      // The browser ended or the engine did not respond. The next measurement may succeed.
    } finally {
      this.#isMeasuring = false;
    }
  }
}
