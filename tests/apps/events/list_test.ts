import assert from "node:assert/strict";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { record } from "./scene.ts";

const DAY = 24 * 3_600_000;

/** Returns the items of every page. */
async function readAll(api: Api, query: string) {
  const items = [];
  let pages = 0;
  for (let cursor: string | null = ""; cursor !== null; pages++) {
    const { body, text } = await api.call(
      "GET",
      `/events?${query}${cursor && `&cursor=${cursor}`}`,
    );
    assert.ok(body.items, text);
    items.push(...body.items);
    cursor = body.next_cursor;
  }
  return { items, pages };
}

async function listTypes(api: Api, query: string): Promise<readonly string[]> {
  return (await readAll(api, query)).items.map(({ type }) => type);
}

Deno.test("events are listed in order by type, session, pool, worker, label and time, over all pages", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  const pool = await api.pool();
  const { workerId, claimed } = await api.running({ labels: { team: "a" } });
  clock.advance(3_600_000);
  const since = new Date(clock.now()).toISOString();
  const other = await api.session();
  const life = [
    "session.created",
    "session.assigned",
    "session.starting",
    "session.running",
  ];
  assert.deepEqual(await listTypes(api, `session_id=${claimed.id}`), life);
  assert.deepEqual(await listTypes(api, "label=team%3Da&limit=1"), life);
  assert.deepEqual(
    await listTypes(api, `type=session.*&work_pool_id=${pool.id}`),
    [...life, ...life.slice(0, 2)],
  );
  assert.deepEqual(
    await listTypes(api, `type=session.*&worker_id=${workerId}`),
    life.slice(2),
  );
  assert.deepEqual(
    await listTypes(api, `since=${since}&limit=1`),
    life.slice(0, 2),
  );
  assert.deepEqual(
    await listTypes(api, "type=session.running,session.created"),
    ["session.created", "session.running", "session.created"],
  );
  const { items } = await readAll(api, "order=desc&limit=2&type=session.*");
  assert.equal(items[0]?.session_id, other.id);
  const sequences = items.map(({ sequence }) => sequence);
  assert.deepEqual(sequences, sequences.toSorted((a, b) => b - a));
  assert.deepEqual(items.at(-1), {
    sequence: sequences.at(-1),
    type: "session.created",
    session_id: claimed.id,
    work_pool_id: pool.id,
    worker_id: null,
    owner: "anonymous",
    data: {},
    timestamp: new Date(clock.now() - 3_600_000).toISOString(),
  });
});

Deno.test("a page reads a limited number of events, and its cursor continues behind them", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await record(grid, { type: "session.created", pool: "rare" });
  await record(grid, { type: "session.created", pool: "often" }, 11_000);
  await record(grid, { type: "session.created", pool: "rare" });
  for (const order of ["asc", "desc"]) {
    const { items, pages } = await readAll(
      api,
      `work_pool_id=rare&order=${order}`,
    );
    assert.equal(items.length, 2);
    assert.equal(pages, 3);
  }
});

Deno.test("since finds the events from that time on, also where events are missing or servers' clocks differ by a minute", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const hour = 3_600_000;
  for (let at = 0; at < 40; at++) {
    const timestamp = at * hour + (at % 2 === 0 ? 50_000 : 0);
    await record(grid, { timestamp, type: "pool.updated" });
    if (at % 3 === 0) await record(grid, { timestamp: at * hour });
  }
  await grid.core.db.client.execute(
    "DELETE FROM events WHERE sequence BETWEEN 10 AND 30",
  );
  const all = (await readAll(api, "")).items;
  for (let at = -1; at < 42; at++) {
    const since = new Date(at * hour + 50_000).toISOString();
    const { items } = await readAll(api, `since=${since}`);
    assert.deepEqual(
      items,
      all.filter(({ timestamp }) => timestamp >= since),
      since,
    );
  }
});

Deno.test("a client key reads the events of its own sessions only, an admin key all, a worker key none", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const [mine, other] = [await grid.asNew(), await grid.asNew()];
  const { id } = await mine.session();
  const theirs = await other.session();
  await grid.admin.worker();
  const seen = (await readAll(mine, "")).items;
  assert.deepEqual(new Set(seen.map((each) => each.session_id)), new Set([id]));
  assert.deepEqual(await listTypes(mine, `session_id=${theirs.id}`), []);
  assert.deepEqual(await listTypes(mine, "type=pool.*,worker.*"), []);
  const all = (await readAll(grid.admin, "")).items;
  assert.ok(all.some((each) => each.session_id === theirs.id));
  const worker = await grid.asNew({ role: "worker" });
  assertRefused(await worker.call("GET", "/events"), {
    status: 403,
    code: "forbidden",
  });
});

Deno.test("a type that no event has is rejected with a similar one", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  for (const type of ["sesion.created", "*.*.*", "session.*,none.*"]) {
    const answer = await api.call("GET", `/events?type=${type}`);
    assertRefused(answer, { status: 422, code: "invalid_request" });
  }
  const { body } = await api.call("GET", "/events?type=sesion.created");
  assert.match(body.detail, /"session\.created"/);
  assert.deepEqual((await api.call("GET", "/events?type=*")).status, 200);
});

Deno.test("old events are deleted in small steps, except those of stored sessions", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({
    clock,
    settings: { event_retention_days: 2, retention_hours: 24 * 5 },
  });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  await api.call("DELETE", `/sessions/${id}`);
  await record(grid, { timestamp: clock.now() }, 2_500);
  clock.advance(3 * DAY);
  await record(grid, { timestamp: clock.now() }, 10);
  assert.ok(grid.events);
  const created = (await readAll(api, `session_id=${id}`)).items.length;
  assert.ok(await grid.events.prune() >= 2_500);
  const { items } = await readAll(api, "");
  assert.equal(items.length, created + 10);
  const before = grid.core.db.trips();
  assert.equal(await grid.events.prune(), 0);
  assert.equal(grid.core.db.trips() - before, 1);
  clock.advance(3 * DAY);
  assert.equal(await grid.sessions.deadlines.prune(), 1);
  assert.equal(await grid.events.prune(), created + 10);
  assert.deepEqual((await readAll(api, "")).items, []);
});
