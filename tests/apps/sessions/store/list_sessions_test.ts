/**
 * Lists of sessions beside a model: every filter with every other, to the last page.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { uuidv7 as uuid } from "uuidv7";
import {
  listSessions,
  type SessionPage,
} from "../../../../src/apps/sessions/store/list_sessions.ts";
import {
  SESSION_STATUSES,
  type SessionStatus,
} from "../../../../src/apps/sessions/status.ts";
import { createApiClient } from "../../../support/api.ts";
import { type TestGrid, testGrid } from "../../../support/grid.ts";

/** The columns of a session by which lists find it. */
interface Listed {
  readonly id: string;
  readonly owner: string;
  readonly pool: string;
  readonly worker: string | null;
  readonly status: SessionStatus;
  readonly labels: Readonly<Record<string, string>>;
}

type Filter = Omit<SessionPage, "limit"> & { readonly owner?: string };

/** Inserts sessions with the other columns of `template`. */
async function insert(
  { core: { db } }: TestGrid,
  template: string,
  rows: readonly Listed[],
): Promise<void> {
  const { columns } = await db.client.execute("SELECT * FROM sessions LIMIT 0");
  const cells = columns.map((name) =>
    ({
      id: "r.value ->> 'id'",
      owner: "r.value ->> 'owner'",
      work_pool_id: "r.value ->> 'pool'",
      worker_id: "r.value ->> 'worker'",
      status: "r.value ->> 'status'",
      labels: "r.value -> 'labels'",
    })[name] ?? `s.${name}`
  );
  await db.client.execute({
    sql: `INSERT INTO sessions (${columns.join(", ")})
      SELECT ${cells.join(", ")} FROM json_each(?) AS r
      JOIN sessions AS s ON s.id = ?`,
    args: [JSON.stringify(rows), template],
  });
}

/** Returns the ids of all pages, and checks that each page is not longer than its limit. */
async function listAll(
  { core: { db } }: TestGrid,
  { owner, ...filter }: Filter,
  limit: number,
): Promise<{ readonly ids: readonly string[]; readonly pages: number }> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let pages = 1;; pages++) {
    const page = { ...filter, limit, cursor };
    const { items, nextCursor } = await listSessions(db, page, owner);
    assert.ok(items.length <= limit);
    ids.push(...items.map(({ id }) => id));
    if (nextCursor === undefined) return { ids, pages };
    assert.ok(cursor === undefined || nextCursor < cursor);
    cursor = nextCursor;
  }
}

function matches(row: Listed, filter: Filter): boolean {
  const { owner, status, work_pool_id, worker_id, label } = filter;
  return (owner === undefined || row.owner === owner) &&
    (status === undefined || status.includes(row.status)) &&
    (work_pool_id === undefined || row.pool === work_pool_id) &&
    (worker_id === undefined || row.worker === worker_id) &&
    (label === undefined || row.labels[label[0]] === label[1]);
}

const LABELS = [
  ["team", "a"],
  ["team", "b"],
  ["team", ""],
  ["ünï 日本 \u{1F600}", 'it\'s "quoted" = % _'],
  ["a.b$[0]", "\n\t"],
] as const;

Deno.test("a list returns exactly the sessions that meet all its filters, newest first, over all pages", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pools = [
    (await api.pool({ name: "one" })).id,
    (await api.pool({ name: "two" })).id,
  ];
  const workers = ["w0", "w1", "w2"];
  const template = (await api.session()).id;
  const rows = fc.sample(
    fc.record({
      owner: fc.constantFrom("ann", "bob"),
      worker: fc.option(fc.nat(2)),
      pool: fc.nat(1),
      status: fc.constantFrom(...SESSION_STATUSES),
      labels: fc.subarray([...LABELS]),
    }),
    { numRuns: 400, seed: 7 },
  ).map(({ worker, pool, labels, ...rest }): Listed => ({
    ...rest,
    id: uuid(),
    // A worker's sessions are of one pool.
    pool: pools[worker === null ? pool : worker % 2],
    worker: worker === null ? null : workers[worker] ?? null,
    labels: Object.fromEntries(labels),
  }));
  await insert(grid, template, rows);
  const all = [...rows, {
    id: template,
    owner: "anonymous",
    pool: pools[0],
    worker: null,
    status: "pending" as const,
    labels: {},
  }].sort((a, b) => a.id < b.id ? 1 : -1);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        owner: fc.constantFrom("ann", "bob", "nobody"),
        status: fc.uniqueArray(fc.constantFrom(...SESSION_STATUSES), {
          minLength: 1,
          maxLength: 4,
        }),
        work_pool_id: fc.constantFrom(...pools),
        worker_id: fc.constantFrom(...workers, "none"),
        label: fc.constantFrom(...LABELS, ["team", "other"] as const),
      }, { requiredKeys: [] }),
      fc.constantFrom(3, 20, 500),
      async (filter, limit) => {
        const expected = all.filter((row) => matches(row, filter));
        const { ids } = await listAll(grid, filter, limit);
        assert.deepEqual(ids, expected.map(({ id }) => id));
      },
    ),
    { numRuns: 300, examples: [[{}, 20], [{ owner: "ann" }, 3]] },
  );
});

Deno.test("two filters that seldom meet end a page early, and its cursor continues to the last session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const one = (await api.pool({ name: "one" })).id;
  const two = (await api.pool({ name: "two" })).id;
  const template = (await api.session()).id;
  const rows = Array.from({ length: 4_000 }, (_, at): Listed => ({
    id: uuid(),
    owner: at % 1_000 === 0 || at % 2 === 0 ? "ann" : "bob",
    // Only every thousandth session of pool one has the label, and every other session leaps over it.
    pool: at % 1_000 === 0 || at % 2 === 1 ? one : two,
    worker: null,
    status: "completed",
    labels: at % 2 === 0 ? { run: "x" } : {},
  }));
  await insert(grid, template, rows);
  for (
    const filter of [
      { label: ["run", "x"], work_pool_id: one },
      { owner: "ann", work_pool_id: one },
    ] as const
  ) {
    const { ids, pages } = await listAll(grid, filter, 50);
    assert.deepEqual(
      ids,
      rows.filter((row) => matches(row, filter)).map(({ id }) => id)
        .toReversed(),
    );
    assert.ok(pages > 1, "the search was limited");
  }
});

Deno.test("a client's cursor is a session of the client, also at a page that ends early", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const one = (await api.pool({ name: "one" })).id;
  const two = (await api.pool({ name: "two" })).id;
  const template = (await api.session()).id;
  const rows = Array.from({ length: 3_000 }, (_, at): Listed => ({
    id: uuid(),
    owner: at % 2 === 0 ? "ann" : "bob",
    pool: at % 2 === 0 ? two : one,
    worker: null,
    status: "completed",
    labels: { run: "x" },
  }));
  await insert(grid, template, rows);
  const owners = new Map(rows.map(({ id, owner }) => [id, owner]));
  for (const label of [undefined, ["run", "x"]] as const) {
    const page = { label, work_pool_id: one, limit: 50 };
    const list = await listSessions(grid.core.db, page, "ann");
    assert.deepEqual(list.items, []);
    assert.equal(owners.get(list.nextCursor ?? ""), "ann");
  }
});

Deno.test("labels are found as long as their session is stored, and a deleted session leaves none", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pool = await api.pool();
  for (const [name, value] of LABELS) {
    const { id } = await api.session({ labels: { [name]: value } });
    const query = new URLSearchParams({ label: `${name}=${value}` });
    const { body } = await api.call("GET", `/sessions?${query}`);
    assert.deepEqual(body.items.map((each: { id: string }) => each.id), [id]);
    assert.deepEqual(body.items[0].labels, { [name]: value });
    await api.call("DELETE", `/sessions/${id}`);
  }
  const { status } = await api.call("DELETE", `/workerpool/pools/${pool.id}`);
  assert.equal(status, 204);
  const { rows } = await grid.core.db.client.execute(
    "SELECT * FROM session_labels",
  );
  assert.deepEqual(rows, []);
});
