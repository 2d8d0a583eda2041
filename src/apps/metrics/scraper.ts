import type { Clock } from "../../async/clock.ts";
import { createLogger, describeError } from "../../core/log.ts";
import type { MetricRegistry } from "../../core/metrics/registry.ts";
import type { GridState } from "./grid_state.ts";
import type { TextFormat } from "./format.ts";

const log = createLogger("apps", "metrics");

/** Time for which a scrape is repeated, so that any number of scrapers costs one query and one rendering. */
const MAX_AGE_MS = 1_000;

/** Parts of a {@linkcode Scraper}. */
export interface ScraperParts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly metrics: MetricRegistry;
  readonly state: GridState;
}

/** Renders the metrics, at most once in {@linkcode MAX_AGE_MS}. */
export class Scraper {
  readonly #parts: ScraperParts;
  readonly #texts = new Map<TextFormat, Promise<string>>();
  #startedAt = -Infinity;
  #reading: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(parts: ScraperParts) {
    this.#parts = parts;
  }

  /**
   * Returns the metrics as text, at most a second old. One round trip, or none. While the database does not answer,
   * what is read from it is left out.
   */
  scrape(format: TextFormat): Promise<string> {
    const now = this.#parts.clock.monotonic();
    if (now - this.#startedAt >= MAX_AGE_MS) {
      this.#startedAt = now;
      this.#texts.clear();
      this.#reading = this.#read();
    }
    let text = this.#texts.get(format);
    if (!text) {
      text = this.#reading.then(() => this.#render(format));
      this.#texts.set(format, text);
    }
    return text;
  }

  async #read(): Promise<void> {
    try {
      await this.#parts.state.refresh();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        log.warn("Metrics of the database are left out: {error}", {
          error: describeError(error),
        });
      }
      this.#isFailing = true;
    }
  }

  async #render(format: TextFormat): Promise<string> {
    const { renderMetrics } = await import("./text_format.ts");
    const { metrics, state } = this.#parts;
    return renderMetrics(metrics, {
      format,
      poolName: (id) => state.poolName(id),
    });
  }
}
