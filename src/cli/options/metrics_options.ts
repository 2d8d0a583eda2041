import { z } from "zod";
import type { MetricsQuery } from "../../client/metrics_page.ts";
import { numberText, text, type TextOption } from "./option_types.ts";
import { clientOptions } from "./shared_options.ts";

/** Names of intervals. */
const INTERVALS = ["raw", "10s", "1m", "5m", "1h"];

/** Options of a command that lists measurements. */
type MetricsOptions = z.ZodObject<
  ReturnType<typeof clientOptions> & {
    readonly interval: TextOption;
    readonly since: TextOption;
    readonly until: TextOption;
    readonly limit: z.ZodPrefault<ReturnType<typeof numberText>>;
  }
>;

/** Returns the options of a command that lists measurements. */
export function metricsOptions(): MetricsOptions {
  return z.object({
    ...clientOptions(),
    interval: text(
      "--interval <interval>",
      "group by intervals of this length (raw)",
      INTERVALS,
    ),
    since: text("--since <time>", "from this time on, in ISO 8601"),
    until: text("--until <time>", "before this time"),
    limit: numberText().prefault("100").meta({
      flags: "--limit <number>",
      description: "at most",
    }),
  });
}

/** Returns the query of the options, without the others. */
export function toMetricsQuery(
  { interval, since, until, limit }: MetricsQuery,
): MetricsQuery {
  return { interval, since, until, limit };
}

/** Returns a measured value for a table. */
export function renderValue(value: number | null): string {
  return value === null ? "" : String(Math.round(value * 10) / 10);
}
