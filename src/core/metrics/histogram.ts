import type { HistogramSample, MetricDeclaration } from "./declaration.ts";
import { SeriesMap } from "./series.ts";

/** Counts values by the buckets that they belong to. An observation allocates nothing. */
export class Distribution {
  readonly #bounds: readonly number[];
  /** Number of values of each bucket; the last one has no upper bound. */
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds Upper bounds of the buckets, in ascending order. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Adds a value. A negative one, as a clock that was set back leads to, counts as 0. */
  observe(value: number): void {
    const counted = value > 0 ? value : 0;
    let at = 0;
    while (at < this.#bounds.length && counted > (this.#bounds[at] ?? 0)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += counted;
  }
}

/** A metric that counts values by buckets. A frequent caller keeps the {@linkcode Distribution} of its labels. */
export class Histogram {
  readonly type = "histogram";
  readonly declaration: MetricDeclaration;
  readonly bounds: readonly number[];
  readonly series: SeriesMap<Distribution>;

  constructor(declaration: MetricDeclaration, bounds: readonly number[]) {
    this.declaration = declaration;
    this.bounds = bounds;
    this.series = new SeriesMap(() => new Distribution(bounds));
  }

  /** Returns the distribution of a combination of labels. */
  of(...labels: readonly string[]): Distribution {
    return this.series.of(labels);
  }

  *read(): Iterable<HistogramSample> {
    for (const { labels, value } of this.series.entries()) {
      yield { labels, counts: value.counts, sum: value.sum };
    }
  }
}
