/**
 * Connect, work, close at full capacity for `--minutes` (30), and then: are memory, sockets, processes, folders and
 * containers where they were?
 *
 * A server and its workers run as processes of their own: one for local browsers, and one for containers if there is an
 * engine. Clients come and go in every way that `visits.ts` has, more of them than there are browsers. What the grid
 * has
 * when it has warmed up and rested is compared with what it has when it rests at the end; memory under load is compared
 * between the first and the last third. Ends with code 1 if something is left, memory has grown, or a visit failed.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { type ChaosGrid, chaosGrid, LOCAL } from "../support/chaos_grid.ts";
import { dockerMissing } from "../support/docker.ts";
import { gaugeMemory } from "../support/memory.ts";
import type { RunningProgram } from "../support/program.ts";
import { liveSessions } from "../support/settle.ts";
import { type Footprint, measureFootprint, type Watched } from "./footprint.ts";
import {
  compareCounts,
  type Finding,
  isFine,
  measureGrowth,
} from "./verdict.ts";
import { VISITS } from "./visits.ts";

/** Share of the time in which caches fill and code is compiled. */
const WARM_UP = 0.3;
/** Inspects the loaded grid. */
const LOOKS = 15;
/**
 * Longest time until a grid at rest has let go of everything: kept connections are closed only when they were not used
 * for a while.
 */
const REST_MS = 100_000;
const REST_LOOK_MS = 1_000;

const CONTAINERS = "containers";
/** Browsers of each pool; one client more waits, and one is on its way. */
const CAPACITIES: Readonly<Record<string, number>> = {
  [LOCAL]: 2,
  ...(dockerMissing === undefined ? { [CONTAINERS]: 1 } : {}),
};
const MORE_CLIENTS = 2;

/** Leases as they are by default: this grid's parts are not killed. */
const ENV = {
  BROWSERGRID_LEASE_SECONDS: "30",
  BROWSERGRID_HEARTBEAT_SECONDS: "10",
  BROWSERGRID_LOG_LEVEL: "warning",
};

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  throw new Error(
    `Cannot soak for "${values.minutes}" minutes: expected a number above 0`,
  );
}
Deno.exitCode = await soak(minutes * 60_000) ? 0 : 1;

async function soak(ms: number): Promise<boolean> {
  if (dockerMissing) print(`without containers: ${dockerMissing}`);
  const pools = CONTAINERS in CAPACITIES
    ? [{ name: CONTAINERS, provider_type: "docker", default_headless: true }]
    : [];
  await using grid = await chaosGrid({ pools, env: ENV, inspect: true });
  for (const [pool, capacity] of Object.entries(CAPACITIES)) {
    await grid.startWorker({ pool, name: "worker", capacity });
  }
  using stack = new DisposableStack();
  const watch = async (name: string, program: RunningProgram) => {
    const gauge = stack.use(await gaugeMemory(program));
    return { name, pid: program.pid, gauge };
  };
  const watched: Watched[] = [await watch("server", grid.server)];
  for (const { process, options } of grid.workers) {
    watched.push(await watch(`worker of ${options.pool}`, process));
  }

  print(`warming up for ${(ms * WARM_UP / 1_000).toFixed(0)} s`);
  const failures = await visitFor(grid, ms * WARM_UP);
  const before = await rested(grid, watched);
  const run: Footprint[] = [];
  const forMs = ms * (1 - WARM_UP);
  const lookMs = forMs / (LOOKS + 1);
  const over = new AbortController();
  const looking = look();
  failures.push(...await visitFor(grid, forMs));
  over.abort();
  await looking;
  const after = await rested(grid, watched, before);

  const findings = [...compareCounts(before, after), ...measureGrowth(run)];
  for (const finding of findings) print(renderLine(finding));
  for (const failure of failures.slice(0, 10)) print(`failed: ${failure}`);
  const isOk = findings.every(isFine) && failures.length === 0;
  print(
    `soak of ${minutes} minutes: ${
      isOk ? "everything is where it was" : "FAILED"
    }`,
  );
  return isOk;

  async function look(): Promise<void> {
    while (run.length < LOOKS) {
      await systemClock.sleep(lookMs, over.signal).catch(() => {});
      if (over.signal.aborted) return;
      const footprint = await measureFootprint(grid, watched);
      run.push(footprint);
      print(renderSummary(footprint));
    }
  }
}

/** A client that keeps no connection, which would count as one of the server's. */
function createWorkloadClient(
  grid: ChaosGrid,
  http: Deno.HttpClient,
): GridClient {
  return createClient({
    apiUrl: grid.url,
    fetch: (input, init) => fetch(input, { ...init, client: http }),
  });
}

/** Visits every pool at full capacity. @returns What went wrong. */
async function visitFor(grid: ChaosGrid, ms: number): Promise<string[]> {
  using http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const client = createWorkloadClient(grid, http);
  const until = systemClock.monotonic() + ms;
  const kinds = Object.entries(VISITS);
  const failures: string[] = [];
  let count = 0;
  await Promise.all(
    Object.entries(CAPACITIES).flatMap(([pool, capacity]) =>
      Array.from({ length: capacity + MORE_CLIENTS }, async () => {
        while (systemClock.monotonic() < until) {
          const [name, visit] = kinds[count++ % kinds.length] ?? [];
          await visit?.({ client, pool }).catch((error) =>
            failures.push(`${name} (${pool}): ${error}`)
          );
        }
      })
    ),
  );
  print(`${count} visits, ${failures.length} failed`);
  return failures;
}

/** Measures the idle grid after the run; waits a limited time until it is no larger than `before`. */
async function rested(
  grid: ChaosGrid,
  watched: readonly Watched[],
  before?: Footprint,
): Promise<Footprint> {
  using http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const client = createWorkloadClient(grid, http);
  const startedAt = systemClock.monotonic();
  for (;;) {
    await systemClock.sleep(REST_LOOK_MS);
    const footprint = await measureFootprint(grid, watched);
    const restedMs = systemClock.monotonic() - startedAt;
    if (restedMs > REST_MS) return footprint;
    if ((await liveSessions(client)).length > 0) continue;
    const isBack = before
      ? compareCounts(before, footprint).every(isFine)
      : Object.values(footprint.traces).every((traces) => traces === 0);
    if (!isBack) continue;
    print(`at rest after ${(restedMs / 1_000).toFixed(0)} s`);
    return footprint;
  }
}

function renderSummary({ processes, traces }: Footprint): string {
  const parts = Object.entries(processes).map((
    [name, { residentMb, liveMb, files, sockets }],
  ) =>
    `${name} ${residentMb.toFixed(0)} MB (${
      liveMb.toFixed(1)
    } in use), ${files} files, ${sockets} sockets`
  );
  const counts = Object.entries(traces).map(([kind, count]) =>
    `${count} ${kind}`
  );
  return [...parts, counts.join(", ")].join(" | ");
}

function renderLine(finding: Finding): string {
  const { what, before, after, limit } = finding;
  const [was, is, most] = [before, after, limit].map((value) =>
    String(Math.round(value * 10) / 10).padStart(6)
  );
  return `${what.padEnd(44)} ${was} -> ${is}  at most ${most}  ${
    isFine(finding) ? "ok" : "TOO MUCH"
  }`;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
