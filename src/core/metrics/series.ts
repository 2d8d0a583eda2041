/** Separates the values of labels in keys. No value contains it. */
const SEPARATOR = "\u0000";

/**
 * Maximum number of series of a metric, so that a server without a scraper keeps no work pools of the past. Scrapers
 * take a series that begins anew for a restart.
 */
const MAX_SERIES = 10_000;

/** A series with its value. */
export interface Series<T> {
  /** Values of the labels in the order of the declaration. */
  readonly labels: readonly string[];
  readonly value: T;
}

/** The series of a metric: one value for each combination of labels. */
export class SeriesMap<T> {
  readonly #create: () => T;
  readonly #series = new Map<string, Series<T>>();

  constructor(create: () => T) {
    this.#create = create;
  }

  /** Returns the value of a combination of labels, created by its first use. */
  of(labels: readonly string[]): T {
    const key = labels.join(SEPARATOR);
    let series = this.#series.get(key);
    if (!series) {
      if (this.#series.size >= MAX_SERIES) this.#forgetOldest();
      series = { labels, value: this.#create() };
      this.#series.set(key, series);
    }
    return series.value;
  }

  /** Deletes the series whose labels meet a condition. */
  delete(matches: (labels: readonly string[]) => boolean): void {
    for (const [key, { labels }] of this.#series) {
      if (matches(labels)) this.#series.delete(key);
    }
  }

  /** Returns the series in the order of their first use. */
  entries(): Iterable<Series<T>> {
    return this.#series.values();
  }

  #forgetOldest(): void {
    for (const key of this.#series.keys()) return void this.#series.delete(key);
  }
}
