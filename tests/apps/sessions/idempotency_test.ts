import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { createClient } from "../../../src/client/client.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import {
  type Answer,
  assertRefused,
  createApiClient,
} from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

const HOUR = 3_600_000;

/** Requests a session with a key. */
function ask(
  grid: TestGrid,
  key: string,
  body: unknown = {},
  query = "",
): Promise<Answer> {
  const api = createApiClient(grid, { "idempotency-key": key });
  return api.call("POST", `/sessions${query}`, body);
}

/** Counts the events of sessions. */
async function sessionEvents({ core }: TestGrid): Promise<number> {
  const { rows } = await core.db.client.execute(
    "SELECT count(*) AS n FROM events WHERE session_id IS NOT NULL",
  );
  return Number(rows[0]?.n);
}

/** Counts the rows of a table. */
async function rows(grid: TestGrid, table: string): Promise<number> {
  const { rows } = await grid.core.db.orm.run(
    sql`SELECT count(*) AS n FROM ${sql.identifier(table)}`,
  );
  return Number(rows[0]?.n);
}

Deno.test("a repeated request with the same Idempotency-Key returns the session of the first one in its current state", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const first = await ask(grid, "k");
  assert.equal(first.status, 201);
  assert.equal(first.headers.get("idempotency-replayed"), null);
  const again = await ask(grid, "k");
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.equal(again.headers.get("location"), `/v1/sessions/${first.body.id}`);
  await api.call("DELETE", `/sessions/${first.body.id}`);
  const later = await ask(grid, "k");
  assert.deepEqual(
    [later.status, later.body.id, later.body.status],
    [201, first.body.id, "completed"],
  );
  assert.notEqual((await ask(grid, "other")).body.id, first.body.id);
  assert.notEqual((await api.session()).id, first.body.id);
  assert.equal(await rows(grid, "sessions"), 3);
  assert.equal(await sessionEvents(grid), 3 * 2 + 1);
});

Deno.test("another body with the same Idempotency-Key is rejected; the same body in another notation is not", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool();
  const labels = { a: "1", b: "2" };
  const { body: { id } } = await ask(grid, "k", { headless: true, labels });
  const reordered = { labels: { b: "2", a: "1" }, headless: true };
  assert.equal((await ask(grid, "k", reordered)).body.id, id);
  for (const other of [{}, { headless: true }, { ...reordered, priority: 1 }]) {
    assertRefused(
      await ask(grid, "k", other),
      { status: 422, code: "idempotency_key_reused" },
      /"k": .*expected the same body or a new key/,
    );
  }
  assert.equal(await rows(grid, "sessions"), 1);
});

Deno.test("an Idempotency-Key that is empty, too long or not printable ASCII is rejected", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool();
  for (const key of ["", '""', "x".repeat(256), "schlüssel", "a\tb"]) {
    assertRefused(
      await ask(grid, key),
      { status: 422, code: "invalid_request" },
      /Idempotency-Key: expected 1 to 255 printable ASCII/,
    );
  }
  assert.equal(await rows(grid, "sessions"), 0);
  for (const key of ["x".repeat(255), '"8e03978e-40d5"', "a b~!"]) {
    assert.equal((await ask(grid, key)).status, 201, key);
  }
});

Deno.test("the same key of two callers is two keys", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool();
  const of = (caller: string, input = {}) =>
    grid.sessions.createOnce(input, { caller, key: "k" });
  const mine = await of("ann");
  const yours = await of("bob", { priority: 3 });
  assert.notEqual(mine.session.id, yours.session.id);
  assert.deepEqual((await of("ann")).session, mine.session);
});

Deno.test("a repeated request with ?wait= waits like the first one", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const { body: { id } } = await ask(grid, "k");
  const pending = await ask(grid, "k", {}, "?wait=0.05");
  assert.deepEqual([pending.status, pending.body.id], [202, id]);
  const waiting = ask(grid, "k", {}, "?wait=300");
  const claimed = await api.claim(worker);
  assert.equal(claimed?.id, id);
  assert.ok(claimed);
  await api.report(worker, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  const { status, headers, body } = await waiting;
  assert.deepEqual([status, body.id, body.status], [201, id, "running"]);
  assert.equal(headers.get("idempotency-replayed"), "true");
  assert.equal(headers.get("location"), `/v1/sessions/${id}`);
  await api.call("DELETE", `/sessions/${id}?force=true`);
  assertRefused(
    await ask(grid, "k", {}, "?wait=300"),
    { status: 502, code: "session_failed" },
    /terminated/,
  );
});

Deno.test("a key is recorded for 24 hours, and unused afterwards", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  await createApiClient(grid).pool();
  const first = await ask(grid, "k");
  clock.advance(24 * HOUR - 1);
  assert.equal((await ask(grid, "k")).body.id, first.body.id);
  clock.advance(1);
  const next = await ask(grid, "k", { priority: 5 });
  assert.equal(next.status, 201);
  assert.notEqual(next.body.id, first.body.id);
  assert.equal(next.headers.get("idempotency-replayed"), null);
  clock.advance(24 * HOUR - 1);
  assert.equal((await ask(grid, "k", { priority: 5 })).body.id, next.body.id);
});

Deno.test("a rejected request leaves its key unused: a repeated request may succeed, also with another body", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_queue: 1 });
  const { id } = await api.session();
  const full = await ask(grid, "k");
  assertRefused(full, { status: 429, code: "queue_full" });
  assert.ok(Number(full.headers.get("retry-after")) > 0);
  await api.call("POST", "/workerpool/pools/pool/pause");
  assertRefused(await ask(grid, "k"), { status: 409, code: "pool_paused" });
  await api.call("POST", "/workerpool/pools/pool/resume");
  assertRefused(await ask(grid, "k", { browser: "safari" }), {
    status: 422,
    code: "browser_not_available",
  });
  assert.equal(await rows(grid, "idempotency_keys"), 0);
  assert.equal(await rows(grid, "sessions"), 1);
  await api.call("DELETE", `/sessions/${id}`);
  const taken = await ask(grid, "k", { priority: 2 });
  assert.equal(taken.status, 201);
  assert.equal(taken.headers.get("idempotency-replayed"), null);
});

Deno.test("a repeated request returns its session even if no pool accepts sessions any more", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_queue: 1 });
  const { body: { id } } = await ask(grid, "k");
  const repeats = async (why: string) => {
    const { status, headers, body } = await ask(grid, "k");
    assert.deepEqual([status, body.id], [201, id], why);
    assert.equal(headers.get("idempotency-replayed"), "true");
    assertRefused(await ask(grid, "k", { priority: 1 }), {
      status: 422,
      code: "idempotency_key_reused",
    });
  };
  await repeats("the queue is full, of this very session");
  await api.call("POST", "/workerpool/pools/pool/pause");
  await repeats("the pool is paused");
});

Deno.test("a create request with a key takes two round trips, repeated too, also if no pool accepts sessions any more", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const trips = async () => {
    const before = grid.core.db.trips();
    assert.equal((await ask(grid, "k")).status, 201);
    return grid.core.db.trips() - before;
  };
  assert.deepEqual([await trips(), await trips()], [2, 2]);
  await api.call("POST", "/workerpool/pools/pool/pause");
  assert.equal(await trips(), 2);
});

Deno.test("equal concurrent requests to two servers create one session, which both return", async () => {
  await using one = await testGrid();
  await using two = await testGrid({
    settings: { database_url: `file:${one.dataDir}/browsergrid.db` },
  });
  await createApiClient(one).pool();
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      Array.from(
        { length: 12 },
        (_, at) => ask(at % 2 ? one : two, `k${round}`),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)).size, 1);
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
    const firsts = answers.filter(({ headers }) =>
      !headers.has("idempotency-replayed")
    );
    assert.equal(firsts.length, 1);
  }
  assert.equal(await rows(one, "sessions"), 5);
  assert.equal(await sessionEvents(two), 5 * 2);
});

Deno.test("a session is kept as long as its key, regardless of the retention, and is deleted with its events", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({
    clock,
    settings: { retention_hours: 1 },
  });
  const api = createApiClient(grid);
  await api.pool();
  const { body: { id } } = await ask(grid, "k");
  await api.call("DELETE", `/sessions/${id}`);
  const pruned = async () => (await reconcileOnce(grid)).counts.pruned;
  clock.advance(24 * HOUR - 1);
  assert.equal(await pruned(), 0);
  assert.equal((await ask(grid, "k")).body.id, id);
  clock.advance(1);
  assert.equal(await pruned(), 1);
  for (const table of ["idempotency_keys", "sessions"]) {
    assert.equal(await rows(grid, table), 0, table);
  }
});

Deno.test("expired keys are deleted while their sessions still run", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  await createApiClient(grid).pool();
  const { body: { id } } = await ask(grid, "k");
  clock.advance(24 * HOUR);
  await grid.sessions.deadlines.prune();
  assert.equal(await rows(grid, "idempotency_keys"), 0);
  assert.equal((await grid.sessions.get(id)).id, id);
});

Deno.test("the typed client sends the key, and the OpenAPI document describes the header", async () => {
  await using grid = await testGrid({ listen: true });
  await createApiClient(grid).pool();
  const client = createClient({ apiUrl: grid.url });
  const first = await client.createSession({}, { idempotencyKey: "k" });
  const again = await client.createSession({}, { idempotencyKey: "k" });
  assert.equal(again.id, first.id);
  await assert.rejects(
    client.createSession({ priority: 1 }, { idempotencyKey: "k" }),
    { code: "idempotency_key_reused", status: 422 },
  );
  const { paths } = await (await grid.request("/openapi.json")).json();
  const [header] = paths["/v1/sessions"].post.parameters.filter((
    each: { in: string },
  ) => each.in === "header");
  assert.equal(header.name, "Idempotency-Key");
  assert.ok(!header.required);
  assert.match(header.description, /24 hours.*Idempotency-Replayed/);
});
