/**
 * Rows of every table that a version of the program had, as that program wrote them.
 *
 * @module
 */
import type { Database } from "../../src/core/database.ts";
import { hashText } from "../../src/core/redact.ts";
import { SecretCipher } from "../../src/db/secrets.ts";
import { TEST_KEY } from "../support/grid.ts";

/** Ids in the rows. */
export const IDS = {
  pool: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  worker: "01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d39",
  ended: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  waiting: "01a20ad3-2b8c-72fd-b6ee-3a52ff860a5d",
  key: "01a20ad4-1b8c-72fd-b6ee-3a52ff860a5d",
  webhook: "01a20ad5-1b8c-72fd-b6ee-3a52ff860a5d",
  handover: "01a20ad6-1b8c-72fd-b6ee-3a52ff860a5d",
  grid: "01a20ad1-0000-7000-8000-000000000000",
} as const;

/** An admin key, whose hash is in the rows. */
export const ADMIN_KEY = `bg_3fKq9TzA_${"Kq9TzAx4".repeat(5)}abc`;

/** A value of the sessions' environment, which versions before 0.2 stored as plain text. */
export const PLAIN_SECRET = "plain-text-of-an-old-version";

const CREATED_AT = Date.UTC(2026, 10, 24, 10);

const times = { created_at: CREATED_AT, updated_at: CREATED_AT };

type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;

const SESSION: Row = {
  ...times,
  owner: IDS.key,
  browser: "chromium",
  version: "latest",
  headless: 1,
  operating_system: "linux",
  screen: '{"width":1280,"height":720,"dpi":96,"scale":1}',
  proxy: '{"proxy_url":"http://proxy.example:3128","proxy_password":"p"}',
  resource_limits: '{"cpu":2,"memory":"2G"}',
  environment: `{"TOKEN":"${PLAIN_SECRET}"}`,
  work_pool_id: IDS.pool,
  provider: "local",
  priority: 3,
  labels: '{"team":"search"}',
  webhooks_enabled: 1,
  ephemeral: 0,
  details: "{}",
  expires_at: CREATED_AT + 3_600_000,
  queue_deadline_at: CREATED_AT + 300_000,
  stop_force: 0,
};

/** Rows by table, in the order in which their foreign keys allow them. Triggers write the labels of sessions. */
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  grid: [{ only: 1, id: IDS.grid }],
  work_pools: [{
    ...times,
    id: IDS.pool,
    name: "crawlers",
    description: "of an old version",
    provider_type: "local",
    provider_config: "{}",
    status: "active",
    priority: 2,
    default_environment: `{"TOKEN":"${PLAIN_SECRET}"}`,
    max_sessions: 7,
    min_workers: 0,
    min_ready: 0,
  }],
  workers: [{
    ...times,
    id: IDS.worker,
    name: "host-1",
    work_pool_id: IDS.pool,
    provider_type: "local",
    provider_details: '{"hostname":"host-1","os":"linux"}',
    secret_hash: "0".repeat(64),
    capacity: 5,
    current_load: 0,
    status: "offline",
    version: "0.1.0",
    last_heartbeat: CREATED_AT,
  }],
  sessions: [
    {
      ...SESSION,
      id: IDS.ended,
      status: "completed",
      status_reason: "it was asked to end",
      started_at: CREATED_AT + 1_000,
      ended_at: CREATED_AT + 60_000,
      worker_id: IDS.worker,
      endpoint: "ws://127.0.0.1:9222/devtools/browser/1",
      fencing_token: 1,
      start_attempts: 1,
      logs: "last output",
    },
    {
      ...SESSION,
      id: IDS.waiting,
      status: "pending",
      fencing_token: 0,
      start_attempts: 0,
    },
  ],
  session_events: [
    { seq: 1, event: "session_created" },
    { seq: 2, event: "browser_started" },
    { seq: 3, event: "session_completed" },
  ].map((row) => ({
    ...row,
    session_id: IDS.ended,
    data: "{}",
    timestamp: CREATED_AT + row.seq,
  })),
  events: [
    { sequence: 1, type: "session.created" },
    { sequence: 2, type: "session.running" },
    { sequence: 3, type: "session.completed" },
  ].map((row) => ({
    ...row,
    session_id: IDS.ended,
    work_pool_id: IDS.pool,
    owner: IDS.key,
    data: "{}",
    timestamp: CREATED_AT + row.sequence,
  })),
  session_metrics: [{
    session_id: IDS.ended,
    cpu_percent: 12.5,
    memory_mb: 300,
    network_rx_bytes: 1_000,
    network_tx_bytes: 500,
    timestamp: CREATED_AT + 5_000,
  }],
  worker_metrics: [{
    worker_id: IDS.worker,
    cpu_percent: 40,
    memory_usage_mb: 2_048,
    current_load: 1,
    timestamp: CREATED_AT + 5_000,
  }],
  api_keys: [{
    id: IDS.key,
    name: "operator",
    prefix: "bg_3fKq9TzA",
    hash: await hashText(ADMIN_KEY),
    role: "admin",
    created_at: CREATED_AT,
  }],
  grid_secrets: [{ name: "connect_token", value: "plain-secret-of-tokens" }],
  idempotency_keys: [{
    caller: IDS.key,
    key: "request-1",
    fingerprint: "f",
    session_id: IDS.ended,
    created_at: CREATED_AT,
  }],
  webhooks: [{
    ...times,
    id: IDS.webhook,
    name: "alerts",
    description: "",
    url: "https://hooks.example/",
    headers: "{}",
    secret: await new SecretCipher(Uint8Array.fromHex(TEST_KEY)).sealUnchecked(
      `whsec_${"A".repeat(32)}`,
      ["webhooks", "secret", IDS.webhook],
    ),
    event_pattern: "session.*",
    labels: "{}",
    timeout_seconds: 10,
    max_attempts: 3,
    include_connect_url: 0,
    active: 1,
    failures: 0,
  }],
  webhook_deliveries: [{
    webhook_id: IDS.webhook,
    message_id: "msg_1",
    type: "session.completed",
    subject: IDS.ended,
    data: "{}",
    timestamp: CREATED_AT,
    status: "delivered",
    attempts: 1,
    status_code: 200,
    ended_at: CREATED_AT,
  }],
  scaled_pools: [{
    pool_id: IDS.pool,
    name: "crawlers",
    provider_type: "local",
    provider_config: await new SecretCipher(Uint8Array.fromHex(TEST_KEY))
      .sealUnchecked("{}", ["scaled_pools", "provider_config", IDS.pool]),
    pool_updated_at: CREATED_AT,
    lease_expires_at: CREATED_AT,
    pass: 3,
    surplus_least: 0,
    failures: 0,
  }],
  machines: [{
    worker_id: IDS.worker,
    pool_id: IDS.pool,
    status: "removing",
    attempts: 0,
    requested_at: CREATED_AT,
    status_at: CREATED_AT,
  }],
  live_links: [{
    id: IDS.handover,
    session_id: IDS.ended,
    mode: "view",
    token_hash: "0".repeat(64),
    created_by: IDS.key,
    note: "",
    created_at: CREATED_AT,
    expires_at: CREATED_AT + 600_000,
  }],
  handovers: [{
    id: IDS.handover,
    session_id: IDS.ended,
    status: "done",
    reason: "sign in",
    hold: 0,
    requested_by: IDS.key,
    resolved_by: IDS.key,
    created_at: CREATED_AT,
    expires_at: CREATED_AT + 600_000,
    resolved_at: CREATED_AT,
  }],
  live_controls: [{ session_id: IDS.ended, until: CREATED_AT }],
  session_log_follows: [{
    session_id: IDS.waiting,
    follower: "follower-1",
    followed_until: CREATED_AT,
    is_delivered: 1,
  }],
  session_log_parts: [{
    session_id: IDS.waiting,
    text: "line\n",
    omitted: 0,
    is_first: 1,
    created_at: CREATED_AT,
  }],
};

/**
 * Inserts rows in every table of the schema that `db` has.
 *
 * @throws {Error} If a table gets no row, such as a new one without rows here.
 */
export async function insertRows({ client }: Database): Promise<void> {
  const { rows } = await client.execute(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'",
  );
  const tables = new Set(rows.map(({ name }) => String(name)));
  for (const [table, given] of Object.entries(ROWS)) {
    if (!tables.has(table)) continue;
    const info = await client.execute(`PRAGMA table_info(${table})`);
    const columns = new Set(info.rows.map(({ name }) => String(name)));
    for (const row of given) {
      const cells = Object.entries(row).filter(([name]) => columns.has(name));
      await client.execute({
        sql: `INSERT INTO ${table} (${cells.map(([name]) => name)})
          VALUES (${cells.map(() => "?")})`,
        args: cells.map(([, value]) => value),
      });
    }
  }
  for (const table of tables) {
    const found = await client.execute(`SELECT 1 FROM ${table} LIMIT 1`);
    if (found.rows.length === 0) {
      throw new Error(`There are no rows of table "${table}"`);
    }
  }
}
