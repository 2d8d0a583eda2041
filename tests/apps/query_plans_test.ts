/**
 * Query plans of every statement that the API and the reconciler send: none scans a table that grows with the grid's
 * history or the number of its workers, and none sorts.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  readLastSequence,
  readNew,
} from "../../src/apps/events/store/read_new.ts";
import { LogStore } from "../../src/apps/sessions/store/logs.ts";
import { ChangeStore } from "../../src/apps/sessions/store/changes.ts";
import { SESSION_STATUSES } from "../../src/apps/sessions/status.ts";
import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { createFakeClock } from "../support/clock.ts";
import { testGrid } from "../support/grid.ts";
import { BOOTSTRAP_KEY, type KeyedGrid, keyedGrid } from "../support/keys.ts";
import { readMetrics } from "../support/metrics.ts";
import { assertBounded } from "../support/bounded_plans.ts";
import { type Recorded, recordStatements } from "../support/query_plans.ts";
import { createScene, listEndpoints, REQUESTS } from "./requests.ts";

/** Headers of a scrape. */
const SCRAPER = { "x-api-key": BOOTSTRAP_KEY };

/** Statistics by which SQLite chooses plans, as SQL. */
const STATISTICS: Readonly<Record<string, readonly string[]>> = {
  "without statistics": [],
  "with statistics of few rows": ["ANALYZE"],
  "with statistics of one large pool, owner and status": [
    "ANALYZE",
    `UPDATE sqlite_stat1 SET stat = '1000000' ||
      replace(substr('     ', 1, length(stat) - length(replace(stat, ' ', ''))),
        ' ', ' 900000')`,
    "ANALYZE sqlite_schema",
  ],
  "with statistics of small tables": [
    `UPDATE sqlite_stat1 SET stat = '2' ||
      replace(substr('     ', 1, length(stat) - length(replace(stat, ' ', ''))),
        ' ', ' 1')`,
    "ANALYZE sqlite_schema",
  ],
};

/** Signs in and returns the cookie. */
async function signIn(grid: KeyedGrid): Promise<string> {
  const response = await grid.request("/v1/auth/sign-in", {
    method: "POST",
    json: { key: BOOTSTRAP_KEY },
    headers: { host: "localhost" },
  });
  await response.text();
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

async function signOut(
  grid: KeyedGrid,
  cookie: string,
  json: { readonly everywhere: boolean },
): Promise<void> {
  const { status } = await grid.request("/v1/auth/sign-out", {
    method: "POST",
    json,
    headers: { host: "localhost", cookie, "x-browsergrid-csrf": "1" },
  });
  assert.equal(status, 204);
}

Deno.test("no request of the API scans or sorts a table that grows", async () => {
  await using grid = await keyedGrid();
  const scene = await createScene(grid, grid.admin);
  const statements = new Map<string, readonly Recorded[]>();
  const record = async (name: string, act: () => Promise<unknown>) => {
    statements.set(name, await recordStatements(grid.core.db, act));
  };
  const { id: keyId } = await grid.key();
  for (const [route, , asked] of REQUESTS) {
    const [method = ""] = route.split(" ");
    await record(route, async () => {
      const { status, text } = await grid.admin.call(method, ...asked(scene));
      assert.ok(status < 300, `${route}: ${status} ${text}`);
    });
  }
  const keys = {
    "POST /keys": () => grid.key(),
    "GET /keys": () => grid.admin.call("GET", `/keys?cursor=${keyId}`),
    "GET /keys/{key_id}": () => grid.admin.call("GET", `/keys/${keyId}`),
    "DELETE /keys/{key_id}": () => grid.admin.call("DELETE", `/keys/${keyId}`),
  };
  for (const [route, act] of Object.entries(keys)) await record(route, act);
  const signIns = {
    "POST /auth/sign-in": () => signIn(grid),
    "GET /auth/caller": () => grid.admin.call("GET", "/auth/caller"),
    "POST /auth/sign-out": async () => {
      await signOut(grid, await signIn(grid), { everywhere: false });
      await signOut(grid, await signIn(grid), { everywhere: true });
    },
  };
  for (const [route, act] of Object.entries(signIns)) await record(route, act);
  await record("GET /metrics", () => readMetrics(grid, SCRAPER));
  const endpoints = await listEndpoints(grid, /^\/v1\/(?!connect)/);
  assert.deepEqual(endpoints.filter((each) => !statements.has(each)), []);
  await assertBounded(grid, statements);
});

Deno.test("lists of sessions and workers neither scan nor sort, by any filters and with any statistics", async () => {
  await using grid = await keyedGrid();
  await createScene(grid, grid.admin);
  const client = await grid.asNew();
  const { db } = grid.core;
  const statements = new Map<string, readonly Recorded[]>();
  const lists = [
    ...listQueries("/sessions", {
      status: SESSION_STATUSES.join(","),
      work_pool_id: "pool",
      worker_id: "worker",
      label: "a=b",
    }),
    ...listQueries("/workerpool/workers", {
      status: "online",
      work_pool_id: "pool",
    }),
  ];
  for (const path of lists) {
    const recorded = await recordStatements(db, async () => {
      await grid.admin.call("GET", path);
      await client.call("GET", path);
    });
    // Other statements are those of the keys.
    const ofList = recorded.filter(({ sql }) => /AS (ids|page)\b/.test(sql));
    assert.ok(ofList.length > 0, path);
    statements.set(path, ofList);
  }
  for (const changes of Object.values(STATISTICS)) {
    for (const sql of changes) await db.client.execute(sql);
    await assertBounded(grid, statements);
  }
});

Deno.test("lists of events neither scan nor sort, by any filters and with any statistics", async () => {
  await using grid = await keyedGrid();
  const { id } = await createScene(grid, grid.admin);
  const client = await grid.asNew();
  const { db } = grid.core;
  const statements = new Map<string, readonly Recorded[]>();
  const lists = listQueries("/events", {
    type: "session.*",
    session_id: id,
    work_pool_id: "pool",
    label: "a=b",
    since: "2020-01-01T00:00:00Z",
    order: "desc",
  });
  for (const path of lists) {
    const recorded = await recordStatements(db, async () => {
      await grid.admin.call("GET", path);
      await client.call("GET", path);
    });
    const ofList = recorded.filter(({ sql }) => /"events" AS e\b/.test(sql));
    assert.ok(ofList.length > 0, path);
    statements.set(path, ofList);
  }
  // A table is read from its start, not from the cursor, if it has two rows by statistics: no index can be named.
  const { "with statistics of small tables": _, ...others } = STATISTICS;
  for (const changes of Object.values(others)) {
    for (const sql of changes) await db.client.execute(sql);
    await assertBounded(grid, statements);
  }
});

Deno.test("lists of deliveries neither scan nor sort, by any filters and with any statistics", async () => {
  await using grid = await testGrid();
  const { api, webhook } = await createScene(grid);
  const { db } = grid.core;
  const statements = new Map<string, readonly Recorded[]>();
  const lists = listQueries(`/webhooks/${webhook}/deliveries`, {
    status: "failed",
    cursor: "100",
  });
  for (const path of lists) {
    const recorded = await recordStatements(db, () => api.call("GET", path));
    assert.ok(recorded.length > 0, path);
    statements.set(path, recorded);
  }
  for (const changes of Object.values(STATISTICS)) {
    for (const sql of changes) await db.client.execute(sql);
    await assertBounded(grid, statements);
  }
});

Deno.test("lists of measurements read those of the query only, with any statistics", async () => {
  await using grid = await testGrid();
  const { api, id, worker } = await createScene(grid);
  const { db } = grid.core;
  const statements = new Map<string, readonly Recorded[]>();
  const lists = [
    `/sessions/${id}/metrics`,
    `/workerpool/workers/${worker}/metrics`,
  ].flatMap((path) =>
    listQueries(path, {
      since: "2026-01-01T00:00:00Z",
      until: "2026-01-02T00:00:00Z",
    })
  );
  for (const path of lists) {
    const recorded = await recordStatements(
      db,
      () => api.call("GET", path),
    );
    assert.ok(recorded.length > 0, path);
    statements.set(path, recorded);
  }
  for (const changes of Object.values(STATISTICS)) {
    for (const sql of changes) await db.client.execute(sql);
    await assertBounded(grid, statements);
  }
});

Deno.test("a server deletes the statistics of ANALYZE at its start", async () => {
  await using grid = await testGrid();
  const { client } = grid.core.db;
  await createScene(grid);
  await client.execute("ANALYZE");
  const { dataDir } = grid;
  await using _other = await testGrid({ dataDir });
  const { rows } = await client.execute(
    "SELECT tbl FROM sqlite_stat1 UNION ALL SELECT tbl FROM sqlite_stat4",
  );
  assert.deepEqual(rows, []);
});

/** Returns the path with every combination of filters. */
function listQueries(
  path: string,
  filters: Readonly<Record<string, string>>,
): readonly string[] {
  const sets = Object.entries(filters).reduce<string[][][]>(
    (all, each) => [...all, ...all.map((some) => [...some, each])],
    [[]],
  );
  return sets.map((set) => `${path}?${new URLSearchParams(set)}`);
}

Deno.test("no concern of the reconciler, poll or record of the gateway scans or sorts a table that grows", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const { api, worker, id } = await createScene(grid);
  const pending = (await api.session({ queue_timeout_seconds: 1 })).id;
  const statements = new Map<string, readonly Recorded[]>();
  const pool = (await api.call("GET", "/workerpool/pools/pool")).body.id;
  const { activity } = grid.sessions;
  const { handovers } = grid;
  assert.ok(handovers);
  const follow = { follower: "server", now: 1, until: 2 };
  const acts = {
    connected: () => activity.recordConnected(id),
    active: () => activity.recordActivity({ active: [id], clientsSeen: [id] }),
    disconnected: () => activity.recordDisconnected(id, {}),
    target: () => grid.sessions.target(id),
    poll: () =>
      new ChangeStore(grid.core.db).poll({
        start: [id],
        end: [id],
        pool: [pool],
        worker: [worker],
        handover: [id],
        hold: [id],
      }),
    control: () => handovers.setControl(id, "shared", "link"),
    states: () => handovers.states([id]),
    held: () => handovers.readHolds([id]),
    conditions: () => handovers.leaseConditions("server", 10),
    conditionError: () => handovers.recordConditionError(id, "x"),
    conditionsReleased: () => handovers.releaseConditions("server"),
    conditionMet: () => handovers.meetCondition({ id, sessionId: id }),
    events: () => readNew(grid.core.db, 1),
    lastEvent: () => readLastSequence(grid.core.db),
    followed: () =>
      new LogStore(grid.core.db).open({ id }, { ...follow, after: undefined }),
    ownFollowed: () =>
      new LogStore(grid.core.db).open({ id, owner: "a" }, {
        ...follow,
        after: 1,
      }),
    followedPoll: () =>
      new LogStore(grid.core.db).poll([{ id, after: 1 }], follow),
    released: () => new LogStore(grid.core.db).release(id, "server", 0),
    overdue() {
      clock.advance(2_000);
      return reconcileOnce(grid);
    },
    retained() {
      clock.advance(400 * 3_600_000);
      return reconcileOnce(grid);
    },
  };
  for (const [name, act] of Object.entries(acts)) {
    statements.set(name, await recordStatements(grid.core.db, act));
  }
  assert.equal((await api.call("GET", `/sessions/${pending}`)).status, 404);
  await assertBounded(grid, statements);
});
