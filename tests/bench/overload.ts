import { z } from "zod";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";

/**
 * Each rejection costs what Node's HTTP server takes for it. At three times the best rate that alone is a fifth of the
 * server's time.
 */
const FACTOR = 1.5;
const SECONDS = 10;
const BEST_SECONDS = 5;

const KEY = "benchmark-0123456789";

const resultSchema = z.object({
  best_per_second: z.number(),
  served_per_second: z.number(),
  offered: z.int(),
  served: z.int(),
  rejected: z.int(),
  failed: z.int(),
  without_retry_after: z.int(),
  served_p99_ms: z.number(),
  rejected_p50_ms: z.number(),
  rejected_p99_ms: z.number(),
  others: z.int(),
  others_failed: z.int(),
  heartbeats: z.int(),
  heartbeats_failed: z.int(),
  heartbeats_p99_ms: z.number(),
});

/** A server over SQLite that one key floods with creates, beside a worker's heartbeats and another key's creates. */
export const benchmark = defineBenchmark({
  title: "Overload",
  method:
    `A Node.js process first creates sessions with 32 in progress for ${BEST_SECONDS} s: the best rate. Then one key creates ${FACTOR} times as many a second for ${SECONDS} s, each at its moment and without regard to Retry-After, while another key creates 5 a second and a worker sends 20 heartbeats a second.`,
  figures: {
    overload_rate: {
      title: "rate under overload ÷ best rate",
      unit: "ratio",
      limit: { atLeast: 0.9 },
      definition: "Sessions created a second during the flood.",
    },
    overload_best: {
      title: "best rate of creates",
      unit: "per second",
      limit: "none",
      definition: "Sessions created a second with 32 in progress.",
    },
    overload_served_p99: {
      title: "accepted create under overload, p99",
      unit: "ms",
      limit: { atMost: 4_000 },
      definition: "Time from the moment of a request to its response.",
    },
    overload_rejected_p99: {
      title: "time to a rejection, p99",
      unit: "ms",
      limit: { atMost: 500 },
      definition: "The same of requests that are rejected.",
    },
    overload_rejected_share: {
      title: "share of rejected creates",
      unit: "ratio",
      limit: "none",
      definition: "Rejected creates by all of the flooding key.",
    },
    overload_lost: {
      title: "requests without a proper response",
      unit: "count",
      limit: { atMost: 0 },
      definition:
        "Creates that are neither created nor rejected with Retry-After, creates of the other key that are rejected, and heartbeats that fail.",
    },
    overload_heartbeats_p99: {
      title: "heartbeat under overload, p99",
      unit: "ms",
      limit: { atMost: 2_000 },
      definition: "Time from the moment of a heartbeat to its response.",
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      const result = await flood();
      yield {
        overload_rate: result.served_per_second / result.best_per_second,
        overload_best: result.best_per_second,
        overload_served_p99: result.served_p99_ms,
        overload_rejected_p99: result.rejected_p99_ms,
        overload_rejected_share: result.rejected / result.offered,
        overload_lost: result.failed + result.without_retry_after +
          result.others_failed + result.heartbeats_failed,
        overload_heartbeats_p99: result.heartbeats_p99_ms,
      };
    }
  },
});

async function flood(): Promise<z.infer<typeof resultSchema>> {
  await using grid = await startGrid({
    args: [],
    env: { BROWSERGRID_LOG_LEVEL: "error", BROWSERGRID_API_KEY: KEY },
  });
  const { success, stdout } = await new Deno.Command("node", {
    args: [
      new URL("overload.mjs", import.meta.url).pathname,
      grid.url,
      KEY,
      ...[BEST_SECONDS, FACTOR, SECONDS].map(String),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure: the load generator failed");
  return resultSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
}
