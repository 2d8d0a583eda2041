import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../src/db/client.ts";
import { migrate, readProjectMigrations } from "../../src/db/migrate.ts";

/** Sessions that have not ended, whatever the number of all: capacity and queue limits bound them. */
const LIVE = 300;

/** Number of pools, of workers in each, and of owners. */
export const POOLS = 20;
export const WORKERS_PER_POOL = 10;
export const OWNERS = 50;

/** Returns the id of the pool, worker or owner with this number. */
export function toId(kind: "pool" | "worker" | "key", at: number): string {
  const digit = { pool: "a", worker: "b", key: "c" }[kind];
  return `01900000-0000-7000-8000-${digit}${String(at).padStart(11, "0")}`;
}

/** SQL of the id of row `i`: a UUID of version 7 with its time of creation. */
const SESSION_ID = `printf('%08x-%04x-7000-8000-%012x',
  created >> 16, created & 65535, i)`;

const NUMBERS =
  "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)";

/**
 * Fills the database of a grid with `count` sessions of an hour, of all pools, workers and owners: most have ended, and
 * those that have not are spread over the whole time. More than half have labels.
 */
export async function fillDatabase(
  path: string,
  count: number,
  now: number,
): Promise<void> {
  using target = await openDatabase(`file:${path}`);
  await migrate(target, await readProjectMigrations(), { now });
  using db = new DatabaseSync(path);
  db.exec(
    "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000; BEGIN",
  );
  const run = (sql: string, values: Record<string, number>) =>
    db.prepare(sql).run(values);
  insertPools(db, now);
  const start = now - 3_600_000;
  const restore = dropIndexes(db);
  run(insertSessions(), { count, start, now });
  run(
    `INSERT INTO events (type, session_id, work_pool_id, owner, data, timestamp)
      SELECT e.value, s.id, s.work_pool_id, s.owner, '{}', s.created_at
      FROM sessions AS s
      CROSS JOIN json_each('["session.created","session.assigned"]') AS e`,
    {},
  );
  run(
    `INSERT INTO session_metrics (session_id, cpu_percent, memory_mb,
        network_rx_bytes, network_tx_bytes, timestamp)
      SELECT id, 1, 100, 1000, 1000, created_at FROM sessions
      WHERE rowid % 10 = 0`,
    {},
  );
  run(
    `INSERT INTO idempotency_keys SELECT owner, 'key-' || rowid, 'x', id,
      created_at FROM sessions WHERE rowid % 10 = 1`,
    {},
  );
  run(
    `INSERT INTO session_labels (name, value, session_id, owner)
      SELECT label.key, label.value, s.id, s.owner FROM sessions AS s
      CROSS JOIN json_each(s.labels) AS label`,
    {},
  );
  restore();
  db.exec("COMMIT");
}

/** Drops the indexes and triggers of sessions, and returns a function that creates them again: that is faster. */
function dropIndexes(db: DatabaseSync): () => void {
  const objects = db.prepare(
    `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL
      AND type IN ('index', 'trigger') AND tbl_name LIKE 'session%'`,
  ).all();
  for (const { type, name } of objects) db.exec(`DROP ${type} ${name}`);
  return () => {
    for (const { sql } of objects) db.exec(String(sql));
  };
}

function insertPools(db: DatabaseSync, now: number): void {
  const pool = db.prepare(
    `INSERT INTO work_pools (id, name, description, provider_type,
      provider_config, status, priority, min_workers, min_ready, created_at,
      updated_at)
    VALUES (?, ?, '', 'local', '{}', 'active', 0, 0, 0, ${now}, ${now})`,
  );
  const worker = db.prepare(
    `INSERT INTO workers (id, name, work_pool_id, provider_type,
      provider_details, secret_hash, capacity, current_load, status,
      instance_id, created_at, updated_at, last_heartbeat)
    VALUES (?, ?, ?, 'local', '{"os":"linux"}', 'x', 5, 0, 'online', 'x',
      ${now}, ${now}, ${now})`,
  );
  for (let at = 0; at < POOLS; at++) {
    pool.run(toId("pool", at), `pool-${at}`);
    for (let each = 0; each < WORKERS_PER_POOL; each++) {
      const number = at * WORKERS_PER_POOL + each;
      worker.run(toId("worker", number), `worker-${each}`, toId("pool", at));
    }
  }
}

function insertSessions(): string {
  const live = `i % max(1, :count / ${LIVE}) = 0`;
  return `INSERT INTO sessions (id, owner, browser, version, headless,
      operating_system, screen, resource_limits, environment, work_pool_id,
      provider, priority, labels, webhooks_enabled, ephemeral, status,
      status_reason, created_at, updated_at, started_at, ended_at, expires_at,
      queue_deadline_at, worker_id, details, fencing_token, lease_expires_at,
      start_attempts, stop_requested_at, stop_status, stop_reason, stop_force)
    ${NUMBERS}, base AS (
      SELECT i, :start + i * 3600000 / :count AS created,
        i * 7919 / 7 % ${POOLS} AS pool, i * 31 % ${OWNERS} AS owner,
        i / 3 % ${WORKERS_PER_POOL} AS worker,
        CASE WHEN ${live} THEN CASE i / max(1, :count / ${LIVE}) % 15
            WHEN 0 THEN 'starting' WHEN 3 THEN 'pending' WHEN 6 THEN 'pending'
            WHEN 9 THEN 'pending' WHEN 12 THEN 'pending'
            WHEN 14 THEN 'pending' ELSE 'running' END
          ELSE CASE i % 20 WHEN 0 THEN 'failed' WHEN 1 THEN 'expired'
            WHEN 2 THEN 'crashed' WHEN 3 THEN 'timed_out'
            WHEN 4 THEN 'terminated' ELSE 'completed' END END AS status
      FROM n
    ) SELECT ${SESSION_ID},
      printf('01900000-0000-7000-8000-c%011d', owner), 'chrome', 'stable', 1,
      'linux', '{"width":1280,"height":720,"dpi":96,"scale":1}',
      '{"cpu":1,"memory":"2GB","timeout_minutes":600}', '{}',
      printf('01900000-0000-7000-8000-a%011d', pool), 'local', 0,
      iif(i % 5 < 3, json_object('team', 'team-' || (i % 17), 'run',
        'run-' || (i / 100)), '{}'), 0, 0, status,
      iif(status IN ('pending', 'starting', 'running'), NULL, 'ended by its owner'),
      created, created, iif(status = 'pending', NULL, created),
      iif(status IN ('pending', 'starting', 'running'), NULL, created + 1000),
      :now + 36000000, :now + 36000000,
      iif(status = 'pending', NULL, printf('01900000-0000-7000-8000-b%011d',
        pool * ${WORKERS_PER_POOL} + worker)),
      iif(status = 'pending', '{}', '{"pid":"12345","version":"Chrome/140.0.0.0"}'),
      1, iif(status IN ('starting', 'running'), :now + 3600000, NULL), 1,
      iif(status = 'completed', created + 500, NULL),
      iif(status = 'completed', 'completed', NULL),
      iif(status = 'completed', 'ended by its owner', NULL), 0
    FROM base`;
}
