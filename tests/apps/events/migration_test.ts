import assert from "node:assert/strict";
import { openDatabase } from "../../../src/db/client.ts";
import { migrate, readProjectMigrations } from "../../../src/db/migrate.ts";

/** Columns of a row of an earlier version; the others have defaults. */
const POOL = {
  id: "p1",
  name: "pool",
  description: "",
  provider_type: "local",
  provider_config: "{}",
  status: "active",
  priority: 0,
  min_workers: 0,
  min_ready: 0,
  created_at: 1,
  updated_at: 1,
};

const SESSION = {
  id: "s1",
  owner: "k1",
  browser: "chrome",
  version: "stable",
  headless: 1,
  operating_system: "linux",
  screen: "{}",
  resource_limits: "{}",
  environment: "{}",
  work_pool_id: "p1",
  provider: "local",
  priority: 0,
  labels: "{}",
  webhooks_enabled: 1,
  ephemeral: 0,
  status: "running",
  created_at: 1,
  updated_at: 1,
  expires_at: 9,
  queue_deadline_at: 9,
  worker_id: "w1",
  details: "{}",
  fencing_token: 1,
  start_attempts: 1,
  stop_force: 0,
};

function insert(table: string, row: Readonly<Record<string, string | number>>) {
  const names = Object.keys(row);
  return {
    sql: `INSERT INTO ${table} (${names}) VALUES (${names.map(() => "?")})`,
    args: Object.values(row),
  };
}

Deno.test("the migration keeps the events of sessions, with their numbers, and their types by their names", async () => {
  using db = await openDatabase(":memory:");
  const migrations = await readProjectMigrations();
  const at = migrations.findIndex(({ name }) => name === "0012_events");
  await migrate(db, migrations.slice(0, at), { now: 1 });
  const event = (seq: number, name: string, data: string) =>
    insert("session_events", {
      seq,
      session_id: "s1",
      event: name,
      data,
      timestamp: seq,
    });
  await db.client.batch([
    insert("work_pools", POOL),
    insert("sessions", SESSION),
    event(3, "session_created", "{}"),
    event(4, "session_starting", '{"worker_id":"w1"}'),
    event(7, "browser_started", "{}"),
    event(8, "client_connected", "{}"),
    event(9, "session_timed_out", "{}"),
    event(12, "client_disconnected", '{"bytes":5}'),
    "DELETE FROM session_events WHERE seq = 12",
    event(11, "client_disconnected", '{"bytes":5}'),
  ], "write");
  await migrate(db, migrations, { now: 2 });
  const { rows } = await db.client.execute(
    "SELECT sequence, type, session_id, work_pool_id, worker_id, owner, data, timestamp FROM events ORDER BY sequence",
  );
  const of = ["s1", "p1", "w1", "k1"];
  assert.deepEqual(rows.map((row) => Object.values(row)), [
    [3, "session.created", "s1", "p1", null, "k1", "{}", 3],
    [4, "session.starting", ...of, '{"worker_id":"w1"}', 4],
    [7, "session.running", ...of, "{}", 7],
    [8, "session.client_connected", ...of, "{}", 8],
    [9, "session.timed_out", ...of, "{}", 9],
    [11, "session.client_disconnected", ...of, '{"bytes":5}', 11],
  ]);
  const { lastInsertRowid } = await db.client.execute(
    "INSERT INTO events (type, data, timestamp) VALUES ('a.b', '{}', 1)",
  );
  assert.equal(Number(lastInsertRowid), 13);
  const old = await db.client.execute(
    "SELECT 1 FROM sqlite_schema WHERE name = 'session_events'",
  );
  assert.deepEqual(old.rows, []);
});
