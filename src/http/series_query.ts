import { z } from "@hono/zod-openapi";

/** Lengths of the intervals that measurements are grouped by; 0 for none. */
const INTERVALS = {
  raw: 0,
  "10s": 10_000,
  "1m": 60_000,
  "5m": 300_000,
  "1h": 3_600_000,
} as const;

type Interval = keyof typeof INTERVALS;

const INTERVAL_NAMES: readonly Interval[] = ["raw", "10s", "1m", "5m", "1h"];

/** Schema of the query of a list of measurements. */
export const seriesQuerySchema = z.object({
  interval: z.enum(INTERVAL_NAMES).default("raw").describe(
    "Interval that measurements are grouped by; raw: none, but those that are older than an hour are grouped by minutes",
  ),
  since: timeParameter(
    "Only measurements from this time on. Without it, the response contains the last ones",
  ),
  until: timeParameter("Only measurements before this time"),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe(
    "Maximum number of measurements, or of intervals, including those without measurements",
  ),
});

/** Schema of the member of a list of measurements by which its next page is requested. */
export const nextSinceSchema = z.iso.datetime().nullable().describe(
  "since of the next page; null if there is none, and for a request without since",
);

/** Query of a list of measurements. */
type SeriesParameters = z.infer<typeof seriesQuerySchema>;

/** Returns the query of a series, without what is measured. */
export function toSeriesQuery(
  { interval, since, until, limit }: SeriesParameters,
): {
  readonly ms: number;
  readonly since: number | null;
  readonly until: number | null;
  readonly limit: number;
} {
  return {
    ms: INTERVALS[interval],
    since: since ?? null,
    until: until ?? null,
    limit,
  };
}

/** Returns the schema of a time in a query. */
function timeParameter(description: string) {
  return z.iso.datetime({
    offset: true,
    error: "expected a time such as 2026-11-24T10:15:00Z",
  }).transform(Date.parse).optional().openapi({
    type: "string",
    format: "date-time",
    description,
  });
}
