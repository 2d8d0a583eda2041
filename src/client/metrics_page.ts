/** Selects measurements to list. */
export interface MetricsQuery {
  /** Interval that they are grouped by: raw, 10s, 1m, 5m or 1h. @default {"raw"} */
  readonly interval?: string | undefined;
  /** Time from which they are listed, in ISO 8601. @default {the last ones are listed} */
  readonly since?: string | undefined;
  /** Time before which they are listed. */
  readonly until?: string | undefined;
  /** Maximum number of measurements or intervals. */
  readonly limit?: number | undefined;
}

/** Measurements, oldest first. */
export interface MetricsPage<T> {
  /** The measurements. */
  readonly items: readonly T[];
  /** `since` of the next page; null if there is none. */
  readonly next_since: string | null;
}
