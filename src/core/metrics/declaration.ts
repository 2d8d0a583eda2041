/** A declaration of a metric, from which scrapes and the documentation describe it. */
export interface MetricDeclaration {
  /** Name with its unit: `browsergrid_..._seconds`, `..._bytes`. The name of a counter ends in `_total`. */
  readonly name: string;
  /** One sentence without a period. */
  readonly help: string;
  /**
   * Labels in the order of their values, each with the meaning of its values. A label has few values: never an id, a
   * path or another text that a client chooses. Values of `pool` are ids of work pools; a scrape shows their names.
   */
  readonly labels: Readonly<Record<string, string>>;
  /** `grid`: read from the database, and the same on every server. `process`: of one server since its start. */
  readonly scope: "grid" | "process";
}

/** The value of a counter or gauge for one combination of labels. */
export interface Sample {
  /** Values of the labels in the order of the declaration. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** The state of a histogram for one combination of labels. */
export interface HistogramSample {
  readonly labels: readonly string[];
  /** Number of values of each bucket, without those of the buckets before it; the last one has no upper bound. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/** A metric with its values. */
export type Metric =
  & { readonly declaration: MetricDeclaration }
  & (
    | {
      readonly type: "counter" | "gauge";
      read(): Iterable<Sample>;
    }
    | {
      readonly type: "histogram";
      /** Upper bounds of the buckets, in ascending order. */
      readonly bounds: readonly number[];
      read(): Iterable<HistogramSample>;
    }
  );
