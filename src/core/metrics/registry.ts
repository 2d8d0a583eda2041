import { Counter } from "./counter.ts";
import type { Metric, MetricDeclaration } from "./declaration.ts";
import { Histogram } from "./histogram.ts";

/** Names that every scraper accepts. */
const NAME = /^[a-z][a-z0-9_]*$/;

/** Labels that a histogram or a scraper adds. */
const RESERVED: readonly string[] = ["le", "quantile", "job", "instance"];

/** Label whose values are ids of work pools. */
const POOL_LABEL = "pool";

/** The metrics of one server. Each part of the server declares its own; the app "metrics" shows them. */
export class MetricRegistry implements Iterable<Metric> {
  readonly #metrics = new Map<string, Metric>();

  /** Adds a counter. @throws {TypeError} If the declaration is invalid, or its name is taken. */
  counter(declaration: MetricDeclaration): Counter {
    const counter = new Counter(declaration);
    this.add(counter);
    return counter;
  }

  /**
   * Adds a histogram.
   *
   * @param bounds Upper bounds of its buckets, in ascending order.
   * @throws {TypeError} If the declaration is invalid, or its name is taken.
   */
  histogram(
    declaration: MetricDeclaration,
    bounds: readonly number[],
  ): Histogram {
    const histogram = new Histogram(declaration, bounds);
    this.add(histogram);
    return histogram;
  }

  /**
   * Adds a metric. Its values are read by each scrape.
   *
   * @throws {TypeError} If the declaration is invalid, or its name is taken.
   */
  add(metric: Metric): void {
    const { name, labels } = metric.declaration;
    const isCounter = metric.type === "counter";
    if (!NAME.test(name) || isCounter !== name.endsWith("_total")) {
      throw new TypeError(
        `Cannot add metric "${name}": its name is invalid, expected lower-case letters, digits and underscores, with _total at the end of a counter's name only`,
      );
    }
    const wrong = Object.keys(labels).find((label) =>
      !NAME.test(label) || RESERVED.includes(label)
    );
    if (wrong !== undefined) {
      throw new TypeError(
        `Cannot add metric "${name}": label "${wrong}" is invalid or reserved, expected another name`,
      );
    }
    if (this.#metrics.has(name)) {
      throw new TypeError(
        `Cannot add metric "${name}": it exists, expected another name`,
      );
    }
    this.#metrics.set(name, metric);
  }

  /** Forgets what was counted for work pools that do not meet the condition. */
  keepPools(isKept: (id: string) => boolean): void {
    for (const metric of this) {
      const at = Object.keys(metric.declaration.labels).indexOf(POOL_LABEL);
      if (at < 0) continue;
      if (metric instanceof Counter || metric instanceof Histogram) {
        metric.series.delete((labels) => !isKept(labels[at] ?? ""));
      }
    }
  }

  [Symbol.iterator](): Iterator<Metric> {
    return this.#metrics.values();
  }
}
