/** Units of figures. A ratio compares with the same work without the grid. */
export type Unit = "ratio" | "ms" | "µs" | "MB" | "per second" | "count";

/** The bound that the median of a figure must keep; `"none"` if the figure is only for comparison. */
export type Limit =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | "none";

/** A measured quantity, as its benchmark declares it. */
export interface Figure {
  /** At most 40 characters, so that a result fits on one line. */
  readonly title: string;
  readonly unit: Unit;
  readonly limit: Limit;
  /** One or two sentences for the documentation: what one value is and how many samples it is made of. */
  readonly definition: string;
}

/** Longest title of a figure. */
export const MAX_TITLE = 40;

/** Fewest runs of a figure. */
export const MIN_RUNS = 3;

/** Verdict on a figure; empty if it has no limit. */
export type Verdict = "ok" | "MISSED" | "";

/** Median and extremes of the runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const SUFFIXES: Readonly<Record<Unit, string>> = {
  ratio: "",
  count: "",
  ms: " ms",
  µs: " µs",
  MB: " MB",
  "per second": "/s",
};

/** Widths of the columns of a line: 80 with the verdict and the spaces between them. */
const COLUMNS = { title: MAX_TITLE, value: 21, limit: 10 } as const;

/** Returns the median and the extremes of `values`. */
export function spreadOfRuns(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? NaN;
  const high = sorted[Math.ceil(middle)] ?? NaN;
  return {
    median: (low + high) / 2,
    min: sorted.at(0) ?? NaN,
    max: sorted.at(-1) ?? NaN,
  };
}

/** Compares the median of `values` with the limit. A value that is not a number misses every limit. */
export function judge(limit: Limit, values: readonly number[]): Verdict {
  if (limit === "none") return "";
  const { median } = spreadOfRuns(values);
  const isMet = "atMost" in limit
    ? median <= limit.atMost
    : median >= limit.atLeast;
  return isMet ? "ok" : "MISSED";
}

/** Renders a value with its unit. */
export function renderValue(value: number, unit: Unit): string {
  return `${renderNumber(value, unit)}${SUFFIXES[unit]}`;
}

/** Renders the smallest and the largest value, without a unit. */
export function renderRange({ min, max }: Spread, unit: Unit): string {
  return `${renderNumber(min, unit)}–${renderNumber(max, unit)}`;
}

/** Renders a limit with its unit; empty if there is none. */
export function renderLimit({ limit, unit }: Figure): string {
  if (limit === "none") return "";
  const [sign, bound] = "atMost" in limit
    ? ["≤", limit.atMost]
    : ["≥", limit.atLeast];
  return `${sign} ${bound.toLocaleString("en")}${SUFFIXES[unit]}`;
}

/** Renders a figure on one line: title, median, spread, limit and verdict. */
export function renderLine(figure: Figure, values: readonly number[]): string {
  const { title, unit, limit } = figure;
  const spread = spreadOfRuns(values);
  const value = `${renderValue(spread.median, unit)} (${
    renderRange(spread, unit)
  })`;
  return [
    title.padEnd(COLUMNS.title),
    value.padStart(COLUMNS.value),
    renderLimit(figure).padStart(COLUMNS.limit),
    judge(limit, values),
  ].join(" ").trimEnd();
}

/** Renders a number with as many digits as its unit and size need. */
function renderNumber(value: number, unit: Unit): string {
  const digits = unit === "count"
    ? 0
    : unit === "ratio"
    ? 3
    : value < 10
    ? 2
    : value < 100
    ? 1
    : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
