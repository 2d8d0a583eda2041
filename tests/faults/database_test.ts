/**
 * The database's row of the failure matrix: locked, full or not reachable, it costs answers, but no data and no
 * restart.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ClaimedSession } from "../../src/apps/sessions/schemas/leases.ts";
import { systemClock } from "../../src/async/clock.ts";
import { type Answer, type Api, createApiClient } from "../support/api.ts";
import { lockDatabase } from "../support/database_lock.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { diskTest, mountSmallDisk } from "../support/small_disk.ts";

/** The API over real sockets, like any client. */
function apiOverHttp(grid: TestGrid): Api {
  return createApiClient({
    ...grid,
    request: (path, { json, ...init } = {}) =>
      fetch(grid.url + path, {
        ...init,
        ...(json === undefined ? {} : {
          body: JSON.stringify(json),
          headers: { "content-type": "application/json", ...init.headers },
        }),
      }),
  });
}

function assertTryAgain(answer: Answer, code: string): void {
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.body.code, code, answer.text);
  assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
}

/** Asserts that exactly these sessions are recorded, each whole: with one row and the two events of its creation. */
async function assertWhole(
  { core: { db } }: TestGrid,
  ids: readonly string[],
): Promise<void> {
  const { rows } = await db.client.execute(
    `SELECT s.id, group_concat(e.type ORDER BY e.sequence) AS events
      FROM sessions AS s LEFT JOIN events AS e ON e.session_id = s.id
        AND e.type IN ('session.created', 'session.assigned')
      GROUP BY s.id ORDER BY s.id`,
  );
  assert.deepEqual(rows.map(({ id }) => id), ids.toSorted());
  for (const { id, events } of rows) {
    assert.equal(events, "session.created,session.assigned", String(id));
  }
  const orphans = await db.client.execute(
    "SELECT count(*) FROM events WHERE session_id NOT IN (SELECT id FROM sessions)",
  );
  assert.equal(orphans.rows[0]?.[0], 0);
}

/** Reads, and asks after the server's health, until `end`; returns how often, and the longest time that it took. */
async function readUntil(
  { call }: Api,
  { grid, id, end }: {
    readonly grid: TestGrid;
    readonly id: string;
    readonly end: Promise<unknown>;
  },
): Promise<{ readonly count: number; readonly longestMs: number }> {
  let isOver = false;
  void end.finally(() => isOver = true);
  let count = 0;
  let longestMs = 0;
  while (!isOver) {
    const start = systemClock.monotonic();
    const health = await fetch(`${grid.url}/health`);
    assert.equal(health.status, 200, await health.text());
    const { status, text } = await call("GET", `/sessions/${id}`);
    assert.equal(status, 200, text);
    longestMs = Math.max(longestMs, systemClock.monotonic() - start);
    count++;
    await systemClock.sleep(20);
  }
  return { count, longestMs };
}

Deno.test("while the database is locked, writes are rejected after 5 s and reads succeed; after the unlock writes succeed without intervention", async () => {
  await using grid = await testGrid({ listen: true });
  const api = apiOverHttp(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const { id: pending } = await api.session();
  const ids = [claimed.id, pending];
  const { db } = grid.core;
  /** Sends writes; returns when all have come to the database. */
  async function write(count: number) {
    // A creation asks for its pool first.
    const arrived = db.trips() + 2 + 2 * count;
    const answers = Promise.all([
      api.call("POST", `/workerpool/workers/${workerId}/claim-session`),
      api.call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {
        sessions: [{
          session_id: claimed.id,
          fencing_token: claimed.fencing_token,
          status: "completed",
        }],
      }),
      ...Array.from({ length: count }, () => api.call("POST", "/sessions", {})),
    ]);
    let isAnswered = false;
    void answers.finally(() => isAnswered = true);
    while (db.trips() < arrived && !isAnswered) await systemClock.sleep(1);
    return { answers };
  }
  await using lock = await lockDatabase(`${grid.dataDir}/browsergrid.db`);

  const early = await write(300);
  const reads = await readUntil(api, {
    grid,
    id: claimed.id,
    end: early.answers,
  });
  for (const answer of await early.answers) {
    assertTryAgain(answer, "database_busy");
  }
  assert.ok(reads.count > 5, `only ${reads.count} reads`);
  // One that waits behind a writer takes 5 s.
  assert.ok(reads.longestMs < 4_000, `a read took ${reads.longestMs} ms`);
  await assertWhole(grid, ids);

  const late = await write(100);
  await lock.release();
  const [claim, heartbeat, ...created] = await late.answers;
  assert.deepEqual(
    claim?.body.sessions.map(({ id, fencing_token }: ClaimedSession) => [
      id,
      fencing_token,
    ]),
    [[pending, 1]],
  );
  assert.equal(heartbeat?.body.reports[0].result, "accepted");
  for (const { status, text } of created) assert.equal(status, 201, text);
  await assertWhole(grid, [...ids, ...created.map(({ body }) => body.id)]);
  const ended = await api.call("GET", `/sessions/${claimed.id}`);
  assert.equal(ended.body.status, "completed");
});

Deno.test("a server starts while the database is locked", async () => {
  await using grid = await testGrid();
  const path = `${grid.dataDir}/browsergrid.db`;
  await using _lock = await lockDatabase(path);
  await using other = await testGrid({
    settings: { database_url: `file:${path}` },
  });
  const { status } = await createApiClient(other).call("GET", "/sessions");
  assert.equal(status, 200);
});

await diskTest(
  "while the disk is full, writes are rejected and rolled back and reads succeed; with free space writes succeed without intervention",
  async () => {
    await using disk = await mountSmallDisk();
    await using grid = await testGrid({
      settings: { database_url: `file:${disk.path}/grid.db` },
    });
    const api = createApiClient(grid);
    await api.pool();
    const { workerId, claimed } = await api.running();
    const ids = [claimed.id];
    const fat = { labels: { fat: "x".repeat(256) } };
    const create = async () => {
      const answer = await api.call("POST", "/sessions", fat);
      if (answer.status === 201) ids.push(answer.body.id);
      else assertTryAgain(answer, "database_unavailable");
      return answer.status;
    };
    assert.equal(await create(), 201);

    await disk.fill();
    const statuses = await Promise.all(Array.from({ length: 50 }, create));
    assert.ok(statuses.includes(503), "the disk was not full");
    assertTryAgain(
      await api.call("DELETE", `/sessions/${claimed.id}?force=true`),
      "database_unavailable",
    );
    for (
      const path of ["", `/${claimed.id}?include=events`, "?status=pending"]
    ) {
      const { status, text } = await api.call("GET", `/sessions${path}`);
      assert.equal(status, 200, text);
    }
    await assertWhole(grid, ids);

    await disk.free();
    assert.equal(await create(), 201);
    const next = await api.claim(workerId);
    assert.ok(next);
    assert.equal(await api.report(workerId, next, "running"), "accepted");
    await assertWhole(grid, ids);
    const { client } = grid.core.db;
    const { rows } = await client.execute("PRAGMA integrity_check");
    assert.equal(rows[0]?.[0], "ok");
    for (const where of ["sessions WHERE id", "events WHERE session_id"]) {
      await client.execute({
        sql: `DELETE FROM ${where} = ?`,
        args: [claimed.id],
      });
    }
    await assertWhole(grid, ids.filter((id) => id !== claimed.id));
  },
);

Deno.test("while a remote database is unreachable, requests are rejected; when it returns they succeed without intervention", async () => {
  await using server = await startHranaServer();
  await using grid = await testGrid({ settings: { database_url: server.url } });
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const ids = [claimed.id];
  const create = async () => {
    const { status, body, text } = await api.call("POST", "/sessions", {});
    assert.equal(status, 201, text);
    ids.push(body.id);
  };
  const refused = async () => {
    const answers = await Promise.all([
      api.call("POST", "/sessions", {}),
      api.call("GET", "/sessions"),
      api.call("POST", `/workerpool/workers/${workerId}/claim-session`),
      api.call("DELETE", `/sessions/${claimed.id}`),
    ]);
    for (const answer of answers) {
      assertTryAgain(answer, "database_unavailable");
    }
    const health = await grid.request("/health");
    assert.equal(health.status, 200, await health.text());
  };
  await create();
  server.fail(() => new Response("Bad gateway", { status: 502 }));
  await refused();
  server.fail(undefined);
  await create();
  await server.stop();
  await refused();
  await server.start();
  await create();
  assert.ok(await api.claim(workerId));
  assert.equal(await api.report(workerId, claimed, "completed"), "accepted");
  await assertWhole(grid, ids);
});
