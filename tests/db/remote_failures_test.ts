import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { createDatabase, isConstraintError } from "../../src/db/client.ts";
import { type Database } from "../../src/core/database.ts";
import { connectRemote } from "../../src/db/remote_connection.ts";
import { GridError } from "../../src/core/errors.ts";
import type { FailingAnswer } from "../support/hrana_endpoint.ts";
import { type HranaServer, startHranaServer } from "../support/hrana_server.ts";

async function table(server: HranaServer): Promise<Database> {
  const db = createDatabase(
    connectRemote(server.url, { responseTimeoutMs: 1_000 }),
  );
  await db.client.execute("CREATE TABLE a (x INTEGER PRIMARY KEY)");
  return db;
}

/** Resolves when one more request has arrived. */
async function arrival({ requests }: HranaServer): Promise<void> {
  const before = requests.length;
  while (requests.length === before) await systemClock.sleep(1);
}

async function assertUnavailable(call: Promise<unknown>): Promise<void> {
  await assert.rejects(
    call,
    (error) =>
      error instanceof GridError && error.code === "database_unavailable",
  );
}

Deno.test("a batch is one request to a remote database: one transaction that writes, or one that only reads", async () => {
  await using server = await startHranaServer();
  using db = await table(server);
  const before = { requests: server.requests.length, trips: db.trips() };
  const statements = ["SELECT count(*) FROM a", "INSERT INTO a VALUES (1)"];
  await db.client.batch(statements);
  await db.client.batch(["SELECT 1", "SELECT x FROM a"]);
  assert.deepEqual(server.requests.slice(before.requests), [
    ["BEGIN IMMEDIATE", ...statements, "COMMIT", "ROLLBACK"],
    [
      "BEGIN TRANSACTION READONLY",
      "SELECT 1",
      "SELECT x FROM a",
      "COMMIT",
      "ROLLBACK",
    ],
  ]);
  assert.equal(db.trips() - before.trips, 2);
});

Deno.test("an error of a statement in a remote database is passed on unchanged", async () => {
  await using server = await startHranaServer();
  using db = await table(server);
  const insert = "INSERT INTO a VALUES (1)";
  const failure: unknown = await db.client.batch([insert, insert]).catch((
    error,
  ) => error);
  assert.ok(isConstraintError(failure), String(failure));
  await assert.rejects(db.client.execute("SELECT y FROM a"), /no such column/);
  const { rows } = await db.client.execute("SELECT count(*) FROM a");
  assert.equal(rows[0]?.[0], 0);
});

/** Failures of a server, or of a proxy in front of it. */
const FAILURES: Readonly<Record<string, FailingAnswer>> = {
  "hangs": () => new Promise(() => {}),
  "hangs within its answer": ({ work }) =>
    new Response(
      work().body?.pipeThrough(
        new TransformStream({ transform: () => new Promise(() => {}) }),
      ),
    ),
  "answers 502": () => new Response("Bad gateway", { status: 502 }),
  "answers 401 with a message": () =>
    Response.json({ message: "expired", code: "AUTH" }, { status: 401 }),
  "answers 500 with null": () => Response.json(null, { status: 500 }),
  "answers with a page": () =>
    new Response("<html>", { headers: { "content-type": "text/html" } }),
  "answers with other JSON": () => Response.json({ hello: "world" }),
  "answers with nothing": () => new Response(),
  "fails for a reason of its own": ({ refusal }) => refusal("PROXY_ERROR"),
  "gives no reason": ({ refusal }) => refusal(),
  "blocks writes": ({ refusal }) => refusal("BLOCKED"),
};

Deno.test("each failure of a remote database is database_unavailable, and ends as soon as the database works again", async (t) => {
  await using server = await startHranaServer();
  using db = await table(server);
  for (const [name, answer] of Object.entries(FAILURES)) {
    await t.step(name, async () => {
      server.fail(answer);
      await Promise.all([
        assertUnavailable(db.client.execute("INSERT INTO a VALUES (1)")),
        assertUnavailable(db.client.batch(["SELECT 1", "DELETE FROM a"])),
      ]);
      server.fail(undefined);
      await db.client.batch(["SELECT 1", "DELETE FROM a"]);
    });
  }
  server.fail(FAILURES.hangs);
  const cutOff = assertUnavailable(db.client.execute("SELECT 1"));
  await arrival(server);
  await server.stop();
  await cutOff;
  await assertUnavailable(db.client.execute("SELECT 1"));
  server.fail(undefined);
  await server.start();
  const { rows } = await db.client.execute("SELECT count(*) FROM a");
  assert.equal(rows[0]?.[0], 0);
});

Deno.test("a thousand calls of a remote database that hangs all fail, within bounded time", async () => {
  await using server = await startHranaServer();
  using db = await table(server);
  server.fail(FAILURES.hangs);
  const calls = Array.from(
    { length: 1_000 },
    () => db.client.execute("SELECT 1").catch((error) => error.code),
  );
  // 20 at a time, each for a second, would take 50 s. A call that has not started after 5 s fails.
  const codes = new Set(await Promise.all(calls));
  assert.deepEqual(codes, new Set(["database_unavailable", "database_busy"]));
  server.fail(undefined);
  await db.client.execute("SELECT 1");
});

Deno.test("calls of a locked remote database are retried, also with several statements", async () => {
  await using server = await startHranaServer();
  using db = await table(server);
  const before = { requests: server.requests.length, trips: db.trips() };
  server.fail(({ work, refusal }) =>
    server.requests.length - before.requests < 3
      ? refusal("SQLITE_BUSY")
      : work()
  );
  await db.client.batch(["INSERT INTO a VALUES (1)"]);
  assert.equal(server.requests.length - before.requests, 3);
  assert.equal(db.trips() - before.trips, 1);
});

Deno.test("an active call of a remote database fails when the client is closed", async () => {
  await using server = await startHranaServer();
  const db = await table(server);
  server.fail(() => new Promise(() => {}));
  const call = assertUnavailable(db.client.execute("SELECT 1"));
  await arrival(server);
  db[Symbol.dispose]();
  await call;
});
