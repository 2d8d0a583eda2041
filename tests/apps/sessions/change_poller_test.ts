import assert from "node:assert/strict";
import { openGrid } from "../../../src/server/grid.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../../../src/installed.ts";
import { type Api, createApiClient } from "../../support/api.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { untilWaiting } from "../../support/until_waiting.ts";

/** Maximum time between two polls. */
const LOOK_MS = 900;

/** Starts two servers on one database, with one fake clock for both. */
async function replicas(): Promise<
  AsyncDisposable & {
    readonly clock: FakeClock;
    readonly here: Api;
    readonly there: Api;
    readonly grid: TestGrid;
  }
> {
  const clock = createFakeClock();
  await using stack = new AsyncDisposableStack();
  const grid = stack.use(await testGrid({ clock }));
  const other = stack.use(
    await openGrid({ ...grid.core.settings, migrate: false }, {
      apps: APPS,
      middleware: MIDDLEWARE,
      providers: PROVIDERS,
      version: "0.0.0-test",
      clock,
    }),
  );
  const second = {
    ...grid,
    ...other,
    request: async (
      path: string,
      { json, ...init }: RequestInit & { json?: unknown } = {},
    ) =>
      await other.router.request(path, {
        ...init,
        ...(json === undefined ? {} : {
          body: JSON.stringify(json),
          headers: { "content-type": "application/json", ...init.headers },
        }),
      }),
  };
  const owned = stack.move();
  return {
    clock,
    grid,
    here: createApiClient(grid),
    there: createApiClient(second),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("a waiting claim receives a session within a second that another server created", async () => {
  await using s = await replicas();
  await s.here.pool();
  const worker = await s.here.worker();
  const waiting = s.here.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  await untilWaiting();
  const { id } = await s.there.session();
  s.clock.advance(LOOK_MS);
  assert.equal((await waiting).body.sessions[0].id, id);
});

Deno.test("a waiting worker receives a stop command within a second that another server stored", async () => {
  await using s = await replicas();
  await s.here.pool();
  const { workerId, claimed } = await s.here.running();
  const waiting = s.here.call(
    "POST",
    `/workerpool/workers/${workerId}/claim-session?wait=30`,
    { room: 0 },
  );
  await untilWaiting();
  await s.there.call("DELETE", `/sessions/${claimed.id}`);
  s.clock.advance(LOOK_MS);
  assert.equal((await waiting).body.commands[0].session_id, claimed.id);
});

Deno.test("POST sessions?wait responds within a second when the browser was reported to another server", async () => {
  await using s = await replicas();
  await s.here.pool();
  const asked = s.here.call("POST", "/sessions?wait=60", {});
  await untilWaiting();
  const worker = await s.there.worker();
  const claimed = await s.there.claim(worker);
  assert.ok(claimed);
  await s.there.report(worker, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  s.clock.advance(LOOK_MS);
  const { status, body } = await asked;
  assert.deepEqual([status, body.status], [201, "running"]);
});

Deno.test("all waiting requests share one poll of the database, and without them there is no poll", async () => {
  await using s = await replicas();
  await s.here.pool();
  const { db } = s.grid.core;
  const asked = Array.from(
    { length: 100 },
    () => s.here.call("POST", "/sessions?wait=5", {}),
  );
  await untilWaiting();
  const before = db.trips();
  for (let second = 0; second < 4; second++) {
    s.clock.advance(LOOK_MS);
    await untilWaiting();
  }
  assert.ok(db.trips() - before <= 5, `${db.trips() - before} looks`);
  s.clock.advance(5_000);
  const answers = await Promise.all(asked);
  assert.ok(answers.every(({ status }) => status === 202));
  const after = db.trips();
  for (let second = 0; second < 4; second++) {
    s.clock.advance(LOOK_MS);
    await untilWaiting();
  }
  assert.equal(db.trips(), after);
});

Deno.test("a pool with a queue, but no room within its limits, wakes no claim until it has room", async () => {
  for (const limit of ["max_sessions", "max_sessions_per_worker"]) {
    await using s = await replicas();
    await s.here.pool({ [limit]: 1 });
    await s.here.session();
    const workerId = await s.here.worker({ capacity: 4 });
    const claimed = await s.here.claim(workerId);
    assert.ok(claimed);
    const waiting = s.here.call(
      "POST",
      `/workerpool/workers/${workerId}/claim-session?wait=30`,
    );
    await untilWaiting();
    const { id } = await s.there.session();
    const { db } = s.grid.core;
    const before = db.trips();
    for (let second = 0; second < 4; second++) {
      s.clock.advance(LOOK_MS);
      await untilWaiting();
    }
    const trips = db.trips() - before;
    assert.ok(trips >= 4 && trips <= 5, `${trips} looks, ${limit}`);
    await s.there.report(workerId, claimed, "completed");
    s.clock.advance(LOOK_MS);
    assert.equal((await waiting).body.sessions[0].id, id, limit);
  }
});
