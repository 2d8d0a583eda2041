import { z } from "zod";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { type Figure, MIN_RUNS } from "./figure.ts";
import { readCpuMs } from "./machine.ts";
import { print } from "./times.ts";

const RATE = 200;
const SECONDS = 30;

const quantilesSchema = z.object({
  p50_ms: z.number(),
  p90_ms: z.number(),
  p99_ms: z.number(),
  max_ms: z.number(),
});

const resultSchema = z.object({
  /** Sessions that were claimed at the latest one second after the last one was due. */
  claimed: z.int(),
  /** Sessions that were not claimed at all. */
  missing: z.int(),
  create: quantilesSchema,
  claim: quantilesSchema,
  failures: z.record(z.string(), z.int()),
  claim_requests: z.int(),
  heartbeats: z.int(),
  load_cores: z.number(),
  seconds: z.number(),
});

type Result = z.infer<typeof resultSchema>;

/** Workers and their pools. */
interface Scene {
  readonly title: string;
  readonly pools: number;
  readonly workersPerPool: number;
}

const ONE: Scene = { title: "one pool", pools: 1, workersPerPool: 1_000 };

const MANY: Scene = { title: "100 pools", pools: 100, workersPerPool: 10 };

/** A server over SQLite with 1,000 workers that wait for sessions. */
export const benchmark = defineBenchmark({
  title: "Sessions for 1,000 waiting workers",
  method:
    `A Node.js process is 1,000 workers, which wait for sessions, report each as completed after 1 s, and send a heartbeat each 10 s. It creates ${RATE} sessions a second for ${SECONDS} s, each at its moment whether earlier requests are answered or not. The workers serve one pool, or 100 pools of 10.`,
  figures: {
    claims_one_pool: rate(ONE),
    claims_one_pool_create: create(ONE),
    claims_one_pool_claim: claim(ONE),
    claims_100_pools: rate(MANY),
    claims_100_pools_create: create(MANY),
    claims_100_pools_claim: claim(MANY),
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      const one = await measureScene(ONE);
      yield {
        claims_one_pool: one.claimed / SECONDS,
        claims_one_pool_create: one.create.p50_ms,
        claims_one_pool_claim: one.claim.p99_ms,
      };
      const many = await measureScene(MANY);
      yield {
        claims_100_pools: many.claimed / SECONDS,
        claims_100_pools_create: many.create.p50_ms,
        claims_100_pools_claim: many.claim.p99_ms,
      };
    }
  },
});

function rate({ title }: Scene): Figure {
  return {
    title: `claims, ${title}`,
    unit: "per second",
    limit: { atLeast: RATE },
    definition:
      `Sessions that are claimed at the latest 1 s after the last one is due, by the ${SECONDS} s in which they are due.`,
  };
}

function create({ title }: Scene): Figure {
  return {
    title: `create, ${title}, p50`,
    unit: "ms",
    limit: { atMost: 10 },
    definition:
      "Time from the moment of a session to the response of its creation.",
  };
}

function claim({ title }: Scene): Figure {
  return {
    title: `create to claim, ${title}, p99`,
    unit: "ms",
    limit: { atMost: 50 },
    definition:
      "Time from the moment of a session to the response of the claim that contains it.",
  };
}

async function measureScene(scene: Scene): Promise<Result> {
  const { title, pools, workersPerPool } = scene;
  await using grid = await startGrid({
    args: [],
    env: { BROWSERGRID_LOG_LEVEL: "warning" },
  });
  const load = new Deno.Command("node", {
    args: [
      new URL("claims_load.mjs", import.meta.url).pathname,
      grid.url,
      ...[pools, workersPerPool, RATE, SECONDS].map(String),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = load.stdout.pipeThrough(new TextDecoderStream());
  const text = Array.fromAsync(output);
  let cpuBefore = 0;
  for await (const _measuring of load.stderr) {
    cpuBefore = await readCpuMs(grid.server.pid);
  }
  const cpuMs = await readCpuMs(grid.server.pid) - cpuBefore;
  const { success } = await load.status;
  if (!success) throw new Error("Cannot measure: the load generator failed");
  const result = resultSchema.parse(JSON.parse((await text).join("")));
  printDetails(title, result, cpuMs / 1_000 / result.seconds);
  return result;
}

/** Prints what the figures leave out, such as the load that each process is. */
function printDetails(title: string, result: Result, cores: number): void {
  const { create, claim, missing, failures } = result;
  print(
    `  ${title}: create p50 ${create.p50_ms}, p99 ${create.p99_ms} ms; claim p50 ${claim.p50_ms}, p99 ${claim.p99_ms}, longest ${claim.max_ms} ms`,
  );
  print(
    `  ${result.claim_requests} claims and ${result.heartbeats} heartbeats; server ${
      cores.toFixed(2)
    } and workers ${result.load_cores.toFixed(2)} of a core`,
  );
  if (missing > 0) print(`  not claimed: ${missing}`);
  for (const [name, count] of Object.entries(failures)) {
    print(`  failed: ${name}, ${count} times`);
  }
}
