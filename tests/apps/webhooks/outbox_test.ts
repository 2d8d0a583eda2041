import assert from "node:assert/strict";
import fc from "fast-check";
import { createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { matchesPattern } from "../../../src/apps/events/type_pattern.ts";
import { isEventPattern } from "../../../src/apps/webhooks/event_pattern.ts";
import { STATUS_EVENTS } from "../../../src/apps/sessions/status.ts";
import { toEventType } from "../../../src/apps/sessions/event_types.ts";

const fields = {
  name: "a",
  url: "https://hooks.example/x",
  event_pattern: "session.*",
};

/** Returns the outbox: type and data of each delivery. */
async function readOutbox({ core: { db } }: TestGrid) {
  const { rows } = await db.client.execute(
    "SELECT type, subject, data, due_at FROM webhook_deliveries ORDER BY id",
  );
  return rows.map(({ type, subject, data, due_at }) => ({
    type,
    subject,
    data: JSON.parse(String(data)),
    isDue: due_at !== null,
  }));
}

Deno.test("the outbox has each event of a session in order, of which the first is due", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.call("POST", "/webhooks", fields);
  const { claimed: { id } } = await api.running({ labels: { team: "a" } });
  const outbox = await readOutbox(grid);
  assert.deepEqual(outbox.map(({ type }) => type), [
    "session.created",
    "session.assigned",
    "session.starting",
    "session.running",
  ]);
  assert.deepEqual(outbox.map(({ isDue }) => isDue), [
    true,
    false,
    false,
    false,
  ]);
  const { session, event } = outbox.at(-1)?.data;
  assert.deepEqual(session, {
    id,
    status: "running",
    pool: "pool",
    labels: { team: "a" },
    reason: null,
  });
  assert.equal(event.id, `evt_${event.sequence}`);
});

Deno.test("an event reaches no webhook that is inactive, of another scope or forbidden by the session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.pool({ name: "other" });
  const scopes: readonly object[] = [
    { active: false },
    { work_pool_id: "other" },
    { labels: { team: "b" } },
    { event_pattern: "worker.*" },
  ];
  for (const scope of scopes) {
    const { status, text } = await api.call("POST", "/webhooks", {
      ...fields,
      ...scope,
    });
    assert.equal(status, 201, text);
  }
  await api.session({ work_pool_id: "pool", labels: { team: "a" } });
  assert.deepEqual(await readOutbox(grid), []);
  await api.call("POST", "/webhooks", fields);
  await api.session({ work_pool_id: "pool", webhooks_enabled: false });
  assert.deepEqual(await readOutbox(grid), []);
  const { id } = await api.session({
    work_pool_id: "other",
    labels: { team: "b", x: "y" },
  });
  const outbox = await readOutbox(grid);
  assert.equal(outbox.length, 6);
  assert.ok(outbox.every(({ subject }) => subject === id));
});

Deno.test("a client's webhook receives events of its own sessions until its key is revoked", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const key = await grid.key();
  const client = grid.as(key.key);
  await client.call("POST", "/webhooks", { ...fields, event_pattern: "*" });
  await grid.admin.session();
  await grid.admin.worker();
  assert.deepEqual(await readOutbox(grid), []);
  const { id } = await client.session();
  const outbox = await readOutbox(grid);
  assert.ok(outbox.length > 0);
  assert.ok(outbox.every(({ subject }) => subject === id));
  await grid.admin.call("DELETE", `/keys/${key.id}`);
  await grid.admin.call("DELETE", `/sessions/${id}`);
  assert.equal((await readOutbox(grid)).length, outbox.length);
});

Deno.test("the outbox names the status to which an event changes a session", async () => {
  await using grid = await testGrid();
  const { client } = grid.core.db;
  const { rows: [row] } = await client.execute(
    "SELECT sql FROM sqlite_schema WHERE name = 'webhook_outbox'",
  );
  const [, json = ""] = /json_extract\('(\{[^']*\})'/.exec(String(row?.sql)) ??
    [];
  assert.deepEqual(
    JSON.parse(json),
    Object.fromEntries(
      Object.entries(STATUS_EVENTS).map(([status, event]) => [
        toEventType(event),
        status,
      ]),
    ),
  );
});

Deno.test("the trigger matches a pattern exactly as the list of events does", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { client } = grid.core.db;
  await api.call("POST", "/webhooks", fields);
  const name = fc.constantFrom("a", "b", "ab", "a_b");
  const type = fc.array(name, { minLength: 1, maxLength: 4 });
  const pattern = fc.array(fc.oneof(name, fc.constant("*")), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(type, pattern, async (names, parts) => {
      const [type, pattern] = [names.join("."), parts.join(".")];
      fc.pre(isEventPattern(pattern));
      await client.batch([
        "DELETE FROM webhook_deliveries",
        { sql: "UPDATE webhooks SET event_pattern = ?", args: [pattern] },
        {
          sql: "INSERT INTO events (type, data, timestamp) VALUES (?, '{}', 1)",
          args: [type],
        },
      ], "write");
      const { rows } = await client.execute("SELECT 1 FROM webhook_deliveries");
      assert.equal(
        rows.length === 1,
        matchesPattern(type, pattern),
        `${type} ${pattern}`,
      );
    }),
    { numRuns: 300 },
  );
});
