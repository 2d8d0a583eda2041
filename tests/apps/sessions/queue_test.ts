import assert from "node:assert/strict";
import fc from "fast-check";
import { SessionCreator } from "../../../src/apps/sessions/create.ts";
import type { WorkPoolManager } from "../../../src/apps/workerpool/manager.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import {
  type Answer,
  type Api,
  assertRefused,
  createApiClient,
} from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { rawClient } from "../../support/raw_client.ts";

const FULL = { status: 429, code: "queue_full" };

function ask(api: Api, json: unknown = {}): Promise<Answer> {
  return api.call("POST", "/sessions", json);
}

/** Sends `count` concurrent create requests, and returns the ids of the accepted sessions. Every other must fail with queue_full. */
async function askMany(
  apis: readonly Api[],
  count: number,
  json: unknown = {},
): Promise<readonly string[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, at) => {
      const api = apis[at % apis.length];
      assert.ok(api);
      return ask(api, json);
    }),
  );
  const taken = answers.filter(({ status }) => status === 201);
  for (const answer of answers) {
    if (!taken.includes(answer)) assertFull(answer);
  }
  return taken.map(({ body }) => body.id);
}

function assertFull(answer: Answer): void {
  assertRefused(answer, FULL, /wait in work pool "pool.*max_queue of \d+/);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
}

async function rows(grid: TestGrid): Promise<readonly number[]> {
  const counted = [
    "sessions",
    "events WHERE session_id IS NOT NULL",
    "idempotency_keys",
  ].map(async (source) => {
    const { rows } = await grid.core.db.client.execute(
      `SELECT count(*) AS n FROM ${source}`,
    );
    return Number(rows[0]?.n);
  });
  return await Promise.all(counted);
}

Deno.test("a full queue rejects requests on every path with 429 and Retry-After, at once, and without a row", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool({ max_queue: 1 });
  await api.session();
  const before = await rows(grid);
  assertFull(await ask(api));
  assertFull(await ask(api, { work_pool_id: "pool" }));
  assertFull(await api.call("POST", "/sessions?wait=300", {}));
  const keyed = createApiClient(grid, { "idempotency-key": "k" });
  assertFull(await keyed.call("POST", "/sessions?wait=300", {}));
  using client = await rawClient(
    `${grid.url.replace("http", "ws")}/v1/connect`,
  );
  assert.match(client.head, /^HTTP\/1.1 429 Cannot queue [^\r\n]*\r\n/);
  assert.match(client.head, /\r\nretry-after: [1-9]\d*\r\n/i);
  assert.deepEqual(await rows(grid), before);
});

Deno.test("with max_queue 0 a session is accepted if a worker has room for it, and rejected otherwise", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_queue: 0 });
  assertFull(await ask(api));
  const worker = await api.worker({ capacity: 2 });
  assert.equal((await askMany([api], 5)).length, 2);
  const [first, second] = [await api.claim(worker), await api.claim(worker)];
  assert.ok(first && second);
  assertFull(await ask(api));
  await api.report(worker, first, "completed");
  assert.equal((await askMany([api], 5)).length, 1);
});

Deno.test("max_queue is in addition to the sessions that workers could start at once, for concurrent requests to several servers too", async () => {
  await using one = await testGrid();
  await using two = await testGrid({
    settings: { database_url: `file:${one.dataDir}/browsergrid.db` },
  });
  const apis = [createApiClient(one), createApiClient(two)] as const;
  await apis[0].pool({ max_queue: 10 });
  const worker = await apis[0].worker({ capacity: 4 });
  assert.equal((await askMany(apis, 60)).length, 14);
  for (let at = 0; at < 4; at++) assert.ok(await apis[1].claim(worker));
  assert.equal((await askMany(apis, 60)).length, 0, "10 wait, 4 are held");
});

Deno.test("with max_queue 0 exactly the accepted sessions are claimed afterwards", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const limit = fc.option(fc.integer({ min: 1, max: 4 }));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({ max_sessions: limit, max_sessions_per_worker: limit }),
      fc.array(
        fc.record({
          capacity: fc.integer({ min: 1, max: 3 }),
          held: fc.nat(3),
          drains: fc.boolean(),
        }),
        { maxLength: 3 },
      ),
      async (limits, workers) => {
        const name = `pool-${++run}`;
        await api.pool({ name, ...limits });
        const ids: string[] = [];
        for (const { capacity, held, drains } of workers) {
          const worker = await api.worker({ work_pool_id: name, capacity });
          ids.push(worker);
          for (let at = 0; at < held; at++) {
            const { id } = await api.session({ work_pool_id: name });
            const claimed = await api.claim(worker);
            if (!claimed) await api.call("DELETE", `/sessions/${id}`);
          }
          if (drains) {
            await api.call("POST", `/workerpool/workers/${worker}/drain`);
          }
        }
        await api.call("PATCH", `/workerpool/pools/${name}`, { max_queue: 0 });
        const taken = await askMany([api], 12, { work_pool_id: name });
        const given = new Set<string>();
        for (const worker of ids) {
          for (;;) {
            const claimed = await api.claim(worker);
            if (!claimed) break;
            given.add(claimed.id);
          }
        }
        assert.deepEqual(given, new Set(taken));
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("a session that is queued again is never rejected for a full queue, and is claimed first", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool({ max_queue: 1 });
  const lost = await api.worker({ capacity: 1 });
  const { id } = await api.session();
  assert.equal((await api.claim(lost))?.id, id);
  const { id: waiting } = await api.session();
  clock.advance(31_000);
  const { counts: { expiredLeases } } = await reconcileOnce(grid);
  assert.equal(expiredLeases, 1);
  assertFull(await ask(api));
  const worker = await api.worker({ name: "next", capacity: 2 });
  assert.equal((await api.claim(worker))?.id, id);
  assert.equal((await api.claim(worker))?.id, waiting);
});

/** Returns a create function that runs `interrupt` between the assignment of a pool and the insert. */
function interrupted(
  { core, pools }: TestGrid,
  interrupt: (count: number) => Promise<unknown>,
  before: () => Promise<unknown> = () => Promise.resolve(),
): (input?: { readonly work_pool_id?: string }) => Promise<{ id: string }> {
  let count = 0;
  const slow: Pick<WorkPoolManager, "assign"> = {
    async assign(want) {
      await before();
      const assignment = await pools.assign(want);
      await interrupt(count++);
      return assignment;
    },
  };
  return (input = {}) => new SessionCreator(core, slow).create(input);
}

Deno.test("a pool that closes between assignment and insert is rejected for its new state, or another pool is assigned", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_queue: 1 });
  const once = (act: () => Promise<unknown>) =>
    interrupted(grid, async (count) => {
      if (count === 0) await act();
    });
  const pause = once(() => grid.pools.setStatus("pool", "paused"));
  await assert.rejects(pause(), { code: "pool_paused" });
  await grid.pools.setStatus("pool", "active");
  const fill = once(() => api.session());
  await assert.rejects(fill(), FULL);
  const drain = async () => {
    const { items } = await grid.sessions.list({
      limit: 9,
      status: ["pending"],
    });
    for (const { id } of items) await api.call("DELETE", `/sessions/${id}`);
  };
  await drain();
  const remove = once(async () => await grid.pools.remove("pool"));
  await assert.rejects(remove({ work_pool_id: "pool" }), {
    code: "pool_not_found",
  });
  await api.pool({ max_queue: 1, priority: 9 });
  const second = await api.pool({ name: "pool-2" });
  const fillFirst = once(() => api.session({ work_pool_id: "pool" }));
  const { id } = await fillFirst();
  const { work_pool_id } = (await api.call("GET", `/sessions/${id}`)).body;
  assert.equal(work_pool_id, second.id);
});

Deno.test("a pool that is open at each assignment and closed at each insert fails after three attempts without a row", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_queue: 1 });
  let attempts = 0;
  const create = interrupted(
    grid,
    () => grid.pools.setStatus("pool", "paused"),
    async () => {
      attempts++;
      await grid.pools.setStatus("pool", "active");
    },
  );
  const before = await rows(grid);
  await assert.rejects(create(), FULL);
  assert.equal(attempts, 3);
  assert.deepEqual(await rows(grid), before);
});
