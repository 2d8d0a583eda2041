import { z } from "zod";
import { MAX_CONCURRENCY } from "../../src/db/connection.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { print } from "./times.ts";

const SERVERS = 2;
const LATENCY_MS = 200;
const SECONDS = 15;
const WORKERS = 40;

/**
 * Writes of a session: it is created and claimed, its worker claims again, and it is reported as completed. A create also
 * reads the pool once, but reads have places of their own.
 */
const WRITES = 4;

/** Sessions a second that the round trips allow: the writes that are in progress at once, by their time. */
const ALLOWED = SERVERS * MAX_CONCURRENCY * 1_000 / LATENCY_MS / WRITES;

const RATE = 42;

const quantilesSchema = z.object({ p50_ms: z.number(), p99_ms: z.number() });

const resultSchema = z.object({
  claimed: z.int(),
  missing: z.int(),
  create: quantilesSchema,
  claim: quantilesSchema,
  failures: z.record(z.string(), z.int()),
});

/** The numbers of a run. */
interface Run extends z.infer<typeof resultSchema> {
  /** Requests to the database by session. */
  readonly trips: number;
}

/** Two servers on one libSQL server that is far away, with workers at both. */
export const benchmark = defineBenchmark({
  title: "Two servers on a remote database",
  method:
    `The database is a libSQL server of the tests that takes ${LATENCY_MS} ms longer for each request. ${WORKERS} workers wait for sessions at two servers, which get ${RATE} creates a second for ${SECONDS} s. Each session is reported as completed after 1 s. A server has ${MAX_CONCURRENCY} writes in progress at once, and a session takes ${WRITES}, for its create, its claim, the next claim of its worker and its report: ${ALLOWED} sessions a second are possible.`,
  figures: {
    remote_rate: {
      title: "sessions, two servers 200 ms away",
      unit: "per second",
      limit: "none",
      definition: "Sessions claimed a second.",
    },
    remote_ratio: {
      title: "the same ÷ what the trips allow",
      unit: "ratio",
      limit: { atLeast: 0.8 },
      definition: `The rate by ${ALLOWED} sessions a second.`,
    },
    remote_create: {
      title: "create, 200 ms away, p50",
      unit: "ms",
      limit: "none",
      definition: "Two round trips, and the wait for a place.",
    },
    remote_claim: {
      title: "create to claim, 200 ms away, p99",
      unit: "ms",
      limit: "none",
      definition:
        "Time from the moment of a session to the response of the claim that contains it: three round trips, or two if a claim is on its way when the session is stored.",
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      const { claimed, create, claim, ...rest } = await measureRun();
      print(
        `  ${
          rest.trips.toFixed(1)
        } trips a session; not claimed: ${rest.missing}; failed: ${
          JSON.stringify(rest.failures)
        }`,
      );
      yield {
        remote_rate: claimed / SECONDS,
        remote_ratio: claimed / SECONDS / ALLOWED,
        remote_create: create.p50_ms,
        remote_claim: claim.p99_ms,
      };
    }
  },
});

async function measureRun(): Promise<Run> {
  await using database = await startHranaServer();
  const options = {
    args: [],
    env: {
      BROWSERGRID_LOG_LEVEL: "warning",
      BROWSERGRID_DATABASE_URL: database.url,
      BROWSERGRID_ENCRYPTION_KEY: "5e".repeat(32),
    },
  };
  await using one = await startGrid(options);
  await using other = await startGrid(options);
  database.delay(LATENCY_MS);
  const load = new Deno.Command("node", {
    args: [
      new URL("claims_load.mjs", import.meta.url).pathname,
      `${one.url},${other.url}`,
      ...[1, WORKERS, RATE, SECONDS].map(String),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = load.stdout.pipeThrough(new TextDecoderStream());
  const text = Array.fromAsync(output);
  let requestsBefore = 0;
  for await (const _measuring of load.stderr) {
    requestsBefore = database.requests.length;
  }
  const requests = database.requests.length - requestsBefore;
  const { success } = await load.status;
  database.delay(0);
  if (!success) throw new Error("Cannot measure: the load generator failed");
  const result = resultSchema.parse(JSON.parse((await text).join("")));
  return { ...result, trips: requests / (RATE * SECONDS) };
}
