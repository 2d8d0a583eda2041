import { createClient, type GridClient } from "../../src/client/client.ts";
import { deadline } from "../../src/async/deadline.ts";
import { systemClock } from "../../src/async/clock.ts";
import { startReceiver } from "../support/webhook_receiver.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { mean, print } from "./times.ts";

const WEBHOOKS = 20;

/** Clients of the comparison, each with a worker, and the time of each of its parts. */
const CLIENTS = 8;
const PART_SECONDS = 2;
const PARTS = 8;

/** Deliveries a second, and for how long. */
const RATE = 200;
const SECONDS = 10;

/** Time after the last event in which the deliveries must arrive. */
const LATE_MS = 1_000;

/** A server that sends events of sessions to webhooks. */
export const benchmark = defineBenchmark({
  title: "Webhooks",
  method:
    `${WEBHOOKS} webhooks on a receiver on loopback, each for the events of the sessions with a label of its own. ${CLIENTS} clients create a session, claim it and report its end, in turn with active and with inactive webhooks. Then ${RATE} sessions a second are created for ${SECONDS} s, each at its moment.`,
  figures: {
    webhooks_throughput: {
      title: `create and claim, with ${WEBHOOKS} webhooks`,
      unit: "ratio",
      limit: { atLeast: 0.8 },
      definition:
        "Sessions a second with active webhooks, by those with inactive ones; each event is delivered to one.",
    },
    webhooks_rate: {
      title: "webhook deliveries of one server",
      unit: "per second",
      limit: { atLeast: 0.99 * RATE },
      definition:
        `Deliveries that arrive at the latest 1 s after the last event, by the ${SECONDS} s of the events.`,
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      yield {
        webhooks_throughput: await compareThroughput(),
        webhooks_rate: await measureRate(),
      };
    }
  },
});

async function openScene(pattern: string) {
  await using stack = new AsyncDisposableStack();
  const receiver = stack.use(await startReceiver());
  const grid = stack.use(
    await startGrid({
      args: [],
      env: {
        BROWSERGRID_LOG_LEVEL: "warning",
        BROWSERGRID_WEBHOOK_ALLOW_HTTP: "true",
        BROWSERGRID_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1",
      },
    }),
  );
  const client = createClient({ apiUrl: grid.url });
  await client.createPool({ name: "pool", provider_type: "local" });
  const hooks: string[] = [];
  for (let team = 0; team < WEBHOOKS; team++) {
    const { id } = await client.createWebhook({
      name: `hook ${team}`,
      url: receiver.url,
      event_pattern: pattern,
      labels: { team: String(team) },
    });
    hooks.push(id);
  }
  const owned = stack.move();
  return {
    receiver,
    client,
    setActive: async (active: boolean) => {
      for (const id of hooks) await client.patchWebhook(id, { active });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Returns the throughput with active webhooks by that with inactive ones. */
async function compareThroughput(): Promise<number> {
  await using scene = await openScene("session.*");
  const { client } = scene;
  const workers = await Promise.all(
    Array.from({ length: CLIENTS }, () => registerWorker(client)),
  );
  const runPart = async () => {
    using over = deadline(systemClock, PART_SECONDS * 1_000);
    const counts = await Promise.all(
      workers.map((worker) => runClient(client, worker, over.signal)),
    );
    return counts.reduce((sum, each) => sum + each, 0) / PART_SECONDS;
  };
  await runPart();
  const rates = { active: [] as number[], inactive: [] as number[] };
  for (let part = 0; part < PARTS; part++) {
    for (const state of ["inactive", "active"] as const) {
      await scene.setActive(state === "active");
      rates[state].push(await runPart());
    }
  }
  const { active, inactive } = rates;
  print(
    `sessions a second: ${mean(active).toFixed(0)} with webhooks, ${
      mean(inactive).toFixed(0)
    } without; ${scene.receiver.received.length} deliveries`,
  );
  return mean(active) / mean(inactive);
}

async function registerWorker(client: GridClient) {
  const registered = await client.registerWorker({
    work_pool_id: "pool",
    capacity: 100,
  });
  return {
    id: registered.worker.id,
    proof: {
      secret: registered.secret ?? "",
      instanceId: registered.instance_id,
    },
  };
}

/** Creates, claims and ends sessions until `signal` is aborted; returns their number. */
async function runClient(
  client: GridClient,
  { id, proof }: Awaited<ReturnType<typeof registerWorker>>,
  signal: AbortSignal,
): Promise<number> {
  for (let count = 0;; count++) {
    if (signal.aborted) return count;
    await client.createSession({
      labels: { team: String(count % WEBHOOKS) },
    });
    const claim = await client.claimSession(id, {}, { proof });
    const sessions = (claim?.sessions ?? []).map((session) => ({
      session_id: session.id,
      fencing_token: session.fencing_token,
      status: "completed" as const,
    }));
    await client.sendHeartbeat(id, { sessions }, { proof });
  }
}

/** Returns the deliveries a second of events at a fixed rate. */
async function measureRate(): Promise<number> {
  await using scene = await openScene("session.created");
  const { client, receiver } = scene;
  const startedAt = systemClock.monotonic();
  const creates: Promise<unknown>[] = [];
  for (let count = 0; count < RATE * SECONDS; count++) {
    const dueAt = startedAt + count * 1_000 / RATE;
    const ms = dueAt - systemClock.monotonic();
    if (ms > 0) await systemClock.sleep(ms);
    const labels = { team: String(count % WEBHOOKS) };
    creates.push(client.createSession({ labels }));
  }
  await Promise.all(creates);
  await systemClock.sleep(LATE_MS);
  return receiver.received.length / SECONDS;
}
