import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { type LoadRun, startLoad } from "./load_process.ts";
import { readCpuMs } from "./machine.ts";
import { print } from "./times.ts";

const RATE = 2_000;
const SECONDS = 10;
const WARM_UP_SECONDS = 3;

const P99_MS = 50;

/** Rates of the search, each for a few seconds, until one is not kept. */
const RATES = [500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000];
const SEARCH_SECONDS = 4;

/** A server over SQLite under a mixed load of the API at a fixed rate, and at the highest rate that it keeps. */
export const benchmark = defineBenchmark({
  title: "The API under load",
  method:
    `A Node.js process sends ${RATE} requests a second for ${SECONDS} s, each at its moment whether earlier ones are answered or not: 40 % get a session, 10 % list sessions, 10 % get a pool, 15 % create, 15 % delete, 7.5 % heartbeats with 5 sessions each, 2.5 % claims.`,
  figures: {
    api_rate: {
      title: "mixed API load",
      unit: "per second",
      limit: { atLeast: 0.99 * RATE },
      definition: "Responses a second.",
    },
    api_p99: {
      title: "the same, p99 of a request",
      unit: "ms",
      limit: { atMost: P99_MS },
      definition: "Time from the moment of a request to its response.",
    },
    api_refused: {
      title: "the same, refused requests",
      unit: "count",
      limit: { atMost: 0 },
      definition: "Responses with a status of 400 or more.",
    },
    api_cpu: {
      title: "the same, server's CPU a request",
      unit: "µs",
      limit: "none",
      definition:
        "CPU time of the server by responses. The load generator and the system use the second core.",
    },
    api_best_rate: {
      title: "mixed API load, highest rate kept",
      unit: "per second",
      limit: { atLeast: RATE },
      definition: `The highest of the rates ${
        RATES.join(", ")
      } at which p99 is at most ${P99_MS} ms for ${SEARCH_SECONDS} s.`,
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      await using grid = await startGrid({
        args: [],
        env: { BROWSERGRID_LOG_LEVEL: "warning" },
      });
      await using load = await startLoad(grid.url);
      await load.run(RATE, WARM_UP_SECONDS);
      const before = await readCpuMs(grid.server.pid);
      const result = await load.run(RATE, SECONDS);
      const cpuMs = await readCpuMs(grid.server.pid) - before;
      printDetails(result);
      let best = 0;
      for (const rate of RATES) {
        if (!isKept(await load.run(rate, SEARCH_SECONDS), rate)) break;
        best = rate;
      }
      yield {
        api_rate: result.per_second,
        api_p99: result.p99_ms,
        api_refused: countFailures(result),
        api_cpu: cpuMs * 1_000 / result.requests,
        api_best_rate: best,
      };
    }
  },
});

function isKept(run: LoadRun, rate: number): boolean {
  return run.p99_ms <= P99_MS && run.per_second >= 0.99 * rate &&
    countFailures(run) === 0;
}

function countFailures({ failures }: LoadRun): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}

/** Prints the quantiles of each kind of request, what was refused, and the load of the generator itself. */
function printDetails({ by_request, failures, load_cpu_share }: LoadRun): void {
  for (const [name, { count, p50_ms, p99_ms }] of Object.entries(by_request)) {
    print(
      `  ${name.padEnd(15)} ${
        String(count).padStart(6)
      }  p50 ${p50_ms} ms, p99 ${p99_ms} ms`,
    );
  }
  for (const [name, count] of Object.entries(failures)) {
    print(`  refused: ${name}, ${count} times`);
  }
  print(`  load generator: ${Math.round(100 * load_cpu_share)} % of a core`);
}
