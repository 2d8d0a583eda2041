/** Measured clients: without the grid, through the server, and through the server and a worker's tunnel. */
export type Side = "direct" | "gateway" | "tunnel";

/** One value of a measurement, made of the milliseconds of its trips. */
export interface FigureValue {
  readonly name: string;
  readonly value: (times: readonly number[]) => number;
  readonly show: (value: number) => string;
  /**
   * Limits of the ratio to the direct side: the most, if above 1, else the least. A side without one is for comparison.
   */
  readonly targets: Readonly<Partial<Record<Side, number>>>;
}

/** A measurement of `gateway_bench.mjs` and what is read from it. */
export interface Figure {
  readonly title: string;
  readonly measurement: string;
  readonly browser: "chromium" | "synthetic";
  readonly values: readonly FigureValue[];
}

/** Measurements in their order. */
export const FIGURES: readonly Figure[] = [
  {
    title: "CDP round trip to a page (Runtime.evaluate of 1)",
    measurement: "evaluate",
    browser: "chromium",
    values: [
      quantile(0.5, { gateway: 1.3, tunnel: 1.6 }),
      quantile(0.99, { gateway: 1.5 }),
    ],
  },
  {
    title: "Browser.getVersion, which asks no page: what the way itself costs",
    measurement: "version",
    browser: "chromium",
    values: [quantile(0.5), quantile(0.99)],
  },
  {
    title: "Runtime.evaluate with a result of 1 MB",
    measurement: "megabytes",
    browser: "chromium",
    values: [rate(1, { gateway: 0.95 })],
  },
  {
    title: "Synthetic browser at full speed: messages of 1 MB, each parsed",
    measurement: "messages",
    browser: "synthetic",
    values: [rate(64, { gateway: 0.85, tunnel: 0.7 })],
  },
  {
    title: "The same, its bytes thrown away (bound by cores and kernel)",
    measurement: "bytes",
    browser: "synthetic",
    values: [rate(128)],
  },
];

type Targets = NonNullable<FigureValue["targets"]>;

function quantile(q: number, targets: Targets = {}): FigureValue {
  return {
    name: `p${q * 100}`,
    value(times) {
      const sorted = [...times].sort((a, b) => a - b);
      return sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
    },
    show: (ms) => `${(ms * 1_000).toFixed(0).padStart(6)} µs`,
    targets,
  };
}

/** Throughput of trips that bring `megabytes` each. */
function rate(megabytes: number, targets: Targets = {}): FigureValue {
  return {
    name: "throughput",
    value: (times) =>
      times.length * megabytes * 1_000 /
      times.reduce((sum, each) => sum + each, 0),
    show: (value) => `${value.toFixed(0).padStart(6)} MB/s`,
    targets,
  };
}
