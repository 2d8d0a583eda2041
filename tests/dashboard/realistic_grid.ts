import { type Answer, type Api, createApiClient } from "../support/api.ts";
import type { TestGrid } from "../support/grid.ts";
import { addWebhooks } from "./realistic_webhooks.ts";

const MINUTE_MS = 60_000;

/** Ids of a grid that is filled as one in use. */
export interface RealisticGrid {
  /** Id of a running session with measurements. */
  readonly running: string;
  readonly pending: string;
  readonly failed: string;
  readonly pool: string;
  /** Id of a pool whose machines fail. */
  readonly failing: string;
  readonly worker: string;
  /** Id of a webhook with deliveries of each status. */
  readonly webhook: string;
}

const POOLS = [
  {
    name: "default",
    provider_type: "local",
    description: "Chrome on this machine",
  },
  {
    name: "crawlers",
    provider_type: "docker",
    description: "Chrome in containers, for the nightly crawl",
    max_sessions: 40,
    priority: 10,
    default_resource_limits: { cpu: 2, memory: "2G", timeout_minutes: 30 },
  },
  {
    name: "checkout-tests",
    provider_type: "docker",
    description: "Browsers of the tests of the shop",
    max_sessions: 10,
  },
  { name: "legacy", provider_type: "docker", priority: -10 },
];

const WORKERS = [
  { name: "rack1-a", work_pool_id: "default", capacity: 4 },
  { name: "rack1-b", work_pool_id: "crawlers", capacity: 8 },
  { name: "edge-berlin", work_pool_id: "crawlers", capacity: 6 },
];

const TEAMS = ["search", "checkout", "growth", "prices"];

/** Fills a grid with pools, workers and sessions of the last hour. Its values are the same each time. */
export async function fillGrid(
  grid: TestGrid,
  { headers, ended: count }: {
    readonly headers: Readonly<Record<string, string>>;
    /** Number of sessions that have ended. */
    readonly ended: number;
  },
): Promise<RealisticGrid> {
  const api = createApiClient(grid, headers);
  const pools = [];
  for (const fields of POOLS) pools.push(await api.pool(fields));
  const workers = [];
  for (const fields of WORKERS) workers.push(await api.worker(fields));
  const [first = "", second = "", third = ""] = workers;
  const ended = await createEnded(api, first, count);
  const running = [];
  for (let at = 0; at < 3; at++) running.push(await start(api, first, at));
  for (let at = 0; at < 8; at++) {
    running.push(await start(api, second, at, "crawlers"));
  }
  for (let at = 0; at < 2; at++) {
    running.push(await start(api, third, at, "crawlers"));
  }
  const waiting = [];
  for (let at = 0; at < 7; at++) {
    waiting.push(
      await api.session({
        work_pool_id: "checkout-tests",
        labels: { team: "checkout", build: String(4711 + at) },
        priority: at === 5 ? 10 : 0,
      }),
    );
  }
  await api.call("POST", "/workerpool/pools/legacy/pause");
  await beat(api, first, { load: 3, cpu: 41 });
  await beat(api, second, { load: 8, cpu: 87 });
  await beat(api, third, { load: 2, cpu: 12 });
  await spreadOverHour(grid, [...ended, ...running.map(({ id }) => id)]);
  await failMachine(grid, pools[2].id);
  await addMeasurements(grid, running[0]?.id ?? "", first);
  await addKeys(api);
  const webhook = await addWebhooks(grid, api);
  return {
    running: running[0]?.id ?? "",
    pending: waiting[2].id,
    failed: ended[3] ?? "",
    pool: pools[1].id,
    failing: pools[2].id,
    worker: first,
    webhook,
  };
}

/** Creates sessions that have ended, in each status. */
async function createEnded(
  api: Api,
  worker: string,
  count: number,
): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at++) {
    const session = await start(api, worker, at, "default", {
      isRunning: at % 9 !== 3,
    });
    ids.push(session.id);
    if (at % 9 === 3) {
      await api.report(worker, session, "failed", {
        status_reason:
          'Cannot start the browser: the image "registry.example/chrome:141" was not found, expected one that the registry has',
      });
    } else if (at % 9 === 7) {
      await api.report(worker, session, "crashed", {
        status_reason: "the browser ended with signal SIGSEGV",
      });
    } else {
      await api.call("DELETE", `/sessions/${session.id}`);
      await api.report(worker, session, "completed");
    }
  }
  return ids;
}

async function start(
  api: Api,
  worker: string,
  at: number,
  pool = "default",
  { isRunning = true } = {},
): Promise<{ readonly id: string; readonly fencing_token: number }> {
  const { id } = await api.session({
    work_pool_id: pool,
    headless: at % 4 !== 1,
    labels: {
      team: TEAMS[at % TEAMS.length] ?? "",
      ...(at % 3 === 0 ? { run: `nightly-${200 + at}` } : {}),
    },
  });
  const claimed = await api.claim(worker);
  if (!claimed) throw new Error(`No worker claims session ${id}`);
  if (isRunning) {
    await api.report(worker, claimed, "running", {
      endpoint: "ws://127.0.0.1:9/devtools/browser/x",
      details: {
        version: "Chrome/141.0.7390.54",
        process_id: String(4200 + at),
      },
    });
  }
  return claimed;
}

async function beat(
  api: Api,
  worker: string,
  { load, cpu }: { readonly load: number; readonly cpu: number },
): Promise<Answer> {
  return await api.call("PUT", `/workerpool/workers/${worker}/heartbeat`, {
    current_load: load,
    ready: load === 3 ? 2 : 0,
    cpu_percent: cpu,
    memory_usage_mb: 3_100 + cpu * 40,
    disk_usage_mb: 48_200,
    sessions: [],
  });
}

/** Moves the ended sessions and their events into the last hour, with more of them at some times. */
async function spreadOverHour(
  { core: { db } }: TestGrid,
  ids: readonly string[],
): Promise<void> {
  for (const [index, id] of ids.entries()) {
    const share = index / ids.length;
    const ms = (1 + 56 * Math.abs(Math.sin(index * 1.7 + share * 2)) ** 1.3) *
      MINUTE_MS;
    await db.client.execute({
      sql: "UPDATE events SET timestamp = timestamp - ? WHERE session_id = ?",
      args: [Math.round(ms), id],
    });
    await db.client.execute({
      sql:
        "UPDATE sessions SET created_at = created_at - ?1, started_at = started_at - ?1, ended_at = ended_at - ?3 WHERE id = ?2",
      args: [Math.round(ms), id, Math.round(ms * 0.3)],
    });
  }
}

/** Adds a machine to a pool, and the failure of another one. The server leaves the pool alone for an hour. */
export async function failMachine(
  { core: { db } }: TestGrid,
  pool: string,
): Promise<void> {
  const now = Date.now();
  await db.client.execute({
    sql:
      "INSERT INTO machines (worker_id, pool_id, status, attempts, requested_at, status_at) VALUES (?, ?, 'starting', 0, ?3, ?3)",
    args: [crypto.randomUUID(), pool, now],
  });
  await db.client.execute({
    sql:
      "INSERT INTO scaled_pools (pool_id, name, provider_type, provider_config, pool_updated_at, lease_owner, lease_expires_at, pass, surplus_least, failures, last_failure, last_failure_at) VALUES (?, 'pool', 'x', '', 1, 'other', ?, 1, 0, 2, ?, ?)",
    args: [
      pool,
      now + 60 * MINUTE_MS,
      "Cannot start a container group: the quota of cores is reached, expected a region with room",
      now - 2 * MINUTE_MS,
    ],
  });
}

/** Adds measurements of the last half hour to a session and its worker. */
async function addMeasurements(
  { core: { db } }: TestGrid,
  session: string,
  worker: string,
): Promise<void> {
  const now = Date.now();
  for (let at = 0; at < 90; at++) {
    const wave = Math.sin(at / 6) + Math.sin(at / 17) * 0.6;
    const timestamp = now - (90 - at) * 20_000;
    await db.client.execute({
      sql:
        "INSERT INTO session_metrics (session_id, cpu_percent, memory_mb, samples, timestamp) VALUES (?, ?, ?, 1, ?)",
      args: [session, 38 + wave * 20, 420 + at * 2 + wave * 30, timestamp],
    });
    await db.client.execute({
      sql:
        "INSERT INTO worker_metrics (worker_id, cpu_percent, memory_usage_mb, samples, timestamp) VALUES (?, ?, ?, 1, ?)",
      args: [worker, 45 + wave * 15, 5_200 + wave * 600, timestamp],
    });
  }
}

/** Creates a key of each role. */
async function addKeys(api: Api): Promise<void> {
  for (
    const fields of [
      { name: "ci", role: "client", expires_in_days: 90, max_sessions: 5 },
      { name: "rack 1", role: "worker", work_pool_id: "crawlers" },
      { name: "prometheus", role: "metrics" },
      { name: "operations", role: "admin" },
    ]
  ) {
    await api.call("POST", "/keys", fields);
  }
}
