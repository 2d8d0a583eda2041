import type { BrowserStats, RunningBrowser } from "../../core/provider.ts";

/** A browser that can be measured. */
export type MeasuredBrowser = Pick<RunningBrowser, "sessionId" | "stats">;

/** The last measurements of a worker's browsers that were not reported yet. */
export class SessionSampler {
  readonly #listBrowsers: () => readonly MeasuredBrowser[];
  #samples = new Map<string, BrowserStats>();

  /** @param listBrowsers Returns the browsers of the held sessions. */
  constructor(listBrowsers: () => readonly MeasuredBrowser[]) {
    this.#listBrowsers = listBrowsers;
  }

  /** Measures all browsers at once. A browser that cannot be measured has no measurement. */
  async measure(): Promise<void> {
    const samples = new Map<string, BrowserStats>();
    // All calls begin in one turn, in which a provider can share its work.
    await Promise.allSettled(
      this.#listBrowsers().map(async (browser) => {
        const stats = await browser.stats?.();
        if (stats) samples.set(browser.sessionId, stats);
      }),
    );
    // Those of ended sessions are not kept.
    this.#samples = samples;
  }

  /** Returns the measurement of a session's browser once; undefined if there is none since the last call. */
  take(sessionId: string): BrowserStats | undefined {
    const sample = this.#samples.get(sessionId);
    this.#samples.delete(sessionId);
    return sample;
  }
}
