import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { eventually } from "../support/eventually.ts";
import { ProcessMachineHost } from "../support/process_machine_host.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { quantile } from "./times.ts";

const PLUGIN = fileURLToPath(
  new URL("../support/process_machines.ts", import.meta.url),
);

/** Sessions of a run that wait for a machine, on each side. */
const COLD_ROUNDS = 3;

/** Sessions of a run for which a worker is ready, on each side. */
const READY_ROUNDS = 40;

const CAPACITY = 4;

const TIMEOUT_SECONDS = 30;

/** One side: a pool, and its workers. */
interface Side {
  readonly poolId: string;
  readonly machines: ProcessMachineHost;
}

/** From the request of a session to its browser, over a pool that the server scales and one that it does not. */
export const benchmark = defineBenchmark({
  title: "Workers that scale with demand",
  method:
    `Two pools of one provider, whose workers are processes with a capacity of ${CAPACITY} and whose browsers start at once. The server scales one; workers of the other are started by hand. Each run requests ${COLD_ROUNDS} sessions of each without a worker, in turn: the worker by hand is started at the moment of the request. Then it requests ${READY_ROUNDS} sessions of each with a worker, in turn.`,
  figures: {
    scaling_cold: {
      title: "queue to running, no worker ÷ by hand",
      unit: "ratio",
      limit: { atMost: 1.5 },
      definition:
        "Median time from the request of a session to its start on a machine that the server starts for it, divided by the same time with a worker that is started by hand at the moment of the request.",
    },
    scaling_ready: {
      title: "queue to running, a worker ÷ not scaled",
      unit: "ratio",
      limit: { atMost: 1.3 },
      definition:
        "Median time from the request of a session to its start on a worker of the scaled pool, divided by the same time with the other pool.",
    },
  },
  async *measure() {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const grid = stack.use(
      await startGrid({
        args: ["--plugin", PLUGIN],
        env: { BROWSERGRID_SCALE_DOWN_SECONDS: "0" },
      }),
    );
    const client = createClient({ apiUrl: grid.url });
    const scaled = await createSide(client, folder, "worker");
    const manual = await createSide(client, folder, "none");
    stack.defer(async () => {
      await grid.server[Symbol.asyncDispose]();
      await removeAll(scaled);
      await removeAll(manual);
    });
    for (let run = 0; run < MIN_RUNS; run++) {
      const cold = { scaled: [] as number[], manual: [] as number[] };
      for (let round = 0; round < COLD_ROUNDS; round++) {
        cold.scaled.push(await timeSession(client, scaled));
        await untilEmpty(scaled);
        const started = startWorker(grid.url, manual);
        cold.manual.push(await timeSession(client, manual));
        await started;
        await removeAll(manual);
      }
      await client.patchPool(scaled.poolId, { min_workers: 1 });
      await startWorker(grid.url, manual);
      const ready = { scaled: [] as number[], manual: [] as number[] };
      await timeSession(client, scaled);
      await timeSession(client, manual);
      for (let round = 0; round < READY_ROUNDS; round++) {
        ready.scaled.push(await timeSession(client, scaled));
        ready.manual.push(await timeSession(client, manual));
      }
      await client.patchPool(scaled.poolId, { min_workers: 0 });
      await untilEmpty(scaled);
      await removeAll(manual);
      yield {
        scaling_cold: ratio(cold.scaled, cold.manual),
        scaling_ready: ratio(ready.scaled, ready.manual),
      };
    }
  },
});

async function createSide(
  client: GridClient,
  folder: string,
  unit: "worker" | "none",
): Promise<Side> {
  const own = join(folder, unit);
  const { id: poolId } = await client.createPool({
    name: unit,
    provider_type: "process_machines",
    provider_config: { folder: own, unit, capacity: CAPACITY },
  });
  return { poolId, machines: new ProcessMachineHost({ folder: own, poolId }) };
}

/** Requests a session, waits until it runs, ends it, and returns the milliseconds until it ran. */
async function timeSession(
  client: GridClient,
  { poolId }: Side,
): Promise<number> {
  const startedAt = performance.now();
  const { id, status } = await client.createSession(
    { work_pool_id: poolId },
    { waitSeconds: TIMEOUT_SECONDS },
  );
  const ms = performance.now() - startedAt;
  if (status !== "running") throw new Error(`The session is ${status}`);
  await client.stopSession(id);
  return ms;
}

async function startWorker(
  serverUrl: string,
  { machines }: Side,
): Promise<void> {
  await machines.start({
    workerId: crypto.randomUUID(),
    serverUrl,
    capacity: CAPACITY,
  }, new AbortController().signal);
}

async function untilEmpty({ machines }: Side): Promise<void> {
  await eventually(
    "no machine is left",
    async () => (await machines.list()).length === 0,
  );
}

async function removeAll({ machines }: Side): Promise<void> {
  for (const { workerId } of await machines.list()) {
    await machines.remove(workerId);
  }
}

function ratio(a: readonly number[], b: readonly number[]): number {
  return quantile(a, 0.5) / quantile(b, 0.5);
}
