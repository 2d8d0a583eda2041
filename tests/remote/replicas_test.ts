import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { createApiClient } from "../support/api.ts";
import { createFakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { countedStarts, createWorker, twoReplicas } from "./scene.ts";

const MINUTE_MS = 60_000;

Deno.test("with sessions and workers at two servers on a remote database each session runs once, and no transaction is left open", async () => {
  await using s = await twoReplicas();
  const [here, there] = [createApiClient(s.here), createApiClient(s.there)];
  await here.pool();
  const { provider, starts } = countedStarts();
  const asked = Array.from(
    { length: 20 },
    (_, at) => (at % 2 ? here : there).session({ priority: at % 3 }),
  );
  const ids = (await Promise.all(asked)).map(({ id }) => id);
  await using stack = new AsyncDisposableStack();
  for (const [at, grid] of [s.here, s.there, s.here, s.there].entries()) {
    await Deno.mkdir(`${grid.dataDir}/worker-${at}`);
    stack.use(
      await createWorker(grid, provider, { name: `worker-${at}`, capacity: 5 }),
    );
  }
  const { items } = await eventually("all run", async () => {
    const { body } = await there.call("GET", "/sessions?status=running");
    return body.items.length === ids.length ? body : undefined;
  });
  assert.deepEqual([...starts].sort(), [...ids].sort());
  const byWorker = Map.groupBy<string, { worker_id: string }>(
    items,
    ({ worker_id }) => worker_id,
  );
  assert.deepEqual(
    [...byWorker.values()].map(({ length }) => length),
    [5, 5, 5, 5],
  );
  assert.equal(s.database.batons, 0);
  assert.equal(s.database.openStreams, 0);
});

Deno.test("two servers on a remote database have one queue: claims at either return the highest priority, then the oldest", async () => {
  await using s = await twoReplicas();
  const [here, there] = [createApiClient(s.here), createApiClient(s.there)];
  await here.pool();
  const made: { readonly id: string; readonly priority: number }[] = [];
  for (const [at, priority] of [0, 5, -1, 5, 0, 9].entries()) {
    made.push(await (at % 2 ? here : there).session({ priority }));
  }
  const worker = await here.worker({ capacity: 10 });
  const claimed: unknown[] = [];
  for (const at of made.keys()) {
    claimed.push((await (at % 2 ? there : here).claim(worker))?.id);
  }
  const expected = made.toSorted((a, b) =>
    b.priority - a.priority || (a.id < b.id ? -1 : 1)
  );
  assert.deepEqual(claimed, expected.map(({ id }) => id));
  assert.equal(await there.claim(worker), undefined);
});

Deno.test("concurrent claims of many workers at two servers return each session to one of them", async () => {
  await using s = await twoReplicas();
  const [here, there] = [createApiClient(s.here), createApiClient(s.there)];
  await here.pool();
  for (let at = 0; at < 15; at++) await here.session();
  const workers = await Promise.all(
    Array.from({ length: 10 }, () => here.worker({ capacity: 2 })),
  );
  const claims = workers.flatMap((id) => [here.claim(id), there.claim(id)]);
  const ids = (await Promise.all(claims)).flatMap((each) => each?.id ?? []);
  assert.equal(ids.length, 15);
  assert.equal(new Set(ids).size, 15);
});

Deno.test("a claim that waits at one server is woken within about a second by a session created at the other", async () => {
  await using s = await twoReplicas();
  const [here, there] = [createApiClient(s.here), createApiClient(s.there)];
  await here.pool();
  const worker = await here.worker();
  const waiting = here.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  // The poller runs only while a client waits.
  const hasLooked = () =>
    s.database.requests.some((sql) =>
      sql.some((each) => each.includes("AS watched"))
    );
  await eventually("it waits", () => Promise.resolve(hasLooked()));
  const { id } = await there.session();
  const madeAt = systemClock.monotonic();
  const { body } = await waiting;
  assert.equal(body.sessions[0].id, id);
  // A poll every 0.9 s, and time for a loaded machine. Without the poll it would take 30 s.
  const tookMs = systemClock.monotonic() - madeAt;
  assert.ok(tookMs < 2_000, `${tookMs} ms`);
});

Deno.test("one Idempotency-Key, used at two servers concurrently and repeatedly, creates one session", async () => {
  await using s = await twoReplicas();
  await createApiClient(s.here).pool();
  const headers = { "idempotency-key": "one" };
  const [here, there] = [
    createApiClient(s.here, headers),
    createApiClient(s.there, headers),
  ];
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) => (at % 2 ? here : there).session()),
  );
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  const { body } = await here.call("GET", "/sessions");
  assert.equal(body.items.length, 1);
});

Deno.test("concurrent changes of two reconcilers on a remote database are applied once", async () => {
  const clock = createFakeClock();
  await using s = await twoReplicas({ clock });
  const api = createApiClient(s.here);
  await api.pool();
  const worker = await api.worker({ capacity: 10 });
  const ids: string[] = [];
  for (let at = 0; at < 5; at++) {
    const { id } = await api.session({
      resource_limits: { timeout_minutes: 1 },
    });
    const claimed = await api.claim(worker);
    assert.equal(claimed?.id, id);
    if (claimed) await api.report(worker, claimed, "running");
    ids.push(id);
  }
  const waiting = await api.session();
  clock.advance(6 * MINUTE_MS);
  const passes = await Promise.all(
    [s.here, s.there, s.here, s.there].map((grid) => reconcileOnce(grid)),
  );
  assert.deepEqual(
    passes.flatMap(({ failures }) => [...failures.values()]),
    [],
  );
  for (const id of [...ids, waiting.id]) {
    const { body } = await api.call("GET", `/sessions/${id}?include=events`);
    const ends = body.events.filter(({ event }: { event: string }) =>
      /_(expired|failed|crashed|timed_out|terminated)$/.test(event)
    );
    assert.equal(ends.length, 1, JSON.stringify(body.events));
  }
});
