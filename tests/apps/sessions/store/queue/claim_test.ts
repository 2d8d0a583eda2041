import assert from "node:assert/strict";
import fc from "fast-check";
import { createApiClient } from "../../../../support/api.ts";
import { testGrid } from "../../../../support/grid.ts";

Deno.test("a claim receives the highest priority first, then the oldest session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const ids: string[] = [];
  for (const priority of [0, 5, 0, 5, -1]) {
    ids.push((await api.session({ priority })).id);
  }
  const worker = await api.worker({ capacity: 9 });
  const order: (string | undefined)[] = [];
  for (const _ of ids) order.push((await api.claim(worker))?.id);
  assert.deepEqual(order, [1, 3, 0, 2, 4].map((at) => ids[at]));
});

Deno.test("concurrent claims assign each session to exactly one worker, within every limit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 12 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      fc.option(fc.integer({ min: 1, max: 8 })),
      fc.option(fc.integer({ min: 1, max: 3 })),
      async (asked, capacities, maxSessions, maxPerWorker) => {
        await using grid = await testGrid();
        const api = createApiClient(grid);
        await api.pool({
          max_sessions: maxSessions,
          max_sessions_per_worker: maxPerWorker,
        });
        for (let at = 0; at < asked; at++) await api.session();
        const workers = await Promise.all(
          capacities.map(async (capacity) => ({
            id: await api.worker({ capacity }),
            most: Math.min(capacity, maxPerWorker ?? capacity),
          })),
        );
        const claims = await Promise.all(
          workers.flatMap(({ id, most }) =>
            Array.from({ length: most + 2 }, async () => ({
              worker: id,
              session: (await api.claim(id))?.id,
            }))
          ),
        );
        const given = claims.filter(({ session }) => session !== undefined);
        const sessions = new Set(given.map(({ session }) => session));
        assert.equal(sessions.size, given.length, "given away once");
        for (const { id, most } of workers) {
          const load = given.filter(({ worker }) => worker === id).length;
          assert.ok(load <= most, "within a worker's room");
        }
        const room = workers.reduce((sum, { most }) => sum + most, 0);
        assert.equal(
          given.length,
          Math.min(asked, room, maxSessions ?? Infinity),
          "and nothing is left that could be given",
        );
      },
    ),
    { numRuns: 15 },
  );
});

Deno.test("a claim repeated with its id receives the same session, a claim with another id the next one", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.session();
  await api.session();
  const worker = await api.worker();
  const claim = async (request_id: string) =>
    (await api.call("POST", `/workerpool/workers/${worker}/claim-session`, {
      request_id,
    })).body.sessions[0];
  const first = await claim("a");
  assert.deepEqual(await claim("a"), first);
  const second = await claim("b");
  assert.notEqual(second.id, first.id);
  const { body } = await api.call("GET", `/sessions/${first.id}/events`);
  const starts = body.items.filter(({ event }: { event: string }) =>
    event === "session_starting"
  );
  assert.equal(starts.length, 1);
});

Deno.test("a claim without room receives stop commands, but no session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  await api.session();
  await api.call("DELETE", `/sessions/${claimed.id}`);
  const { body } = await api.call(
    "POST",
    `/workerpool/workers/${workerId}/claim-session`,
    { room: 0 },
  );
  assert.deepEqual(body.sessions, []);
  assert.equal(body.commands[0].session_id, claimed.id);
});

Deno.test("a pool that is paused, draining or inactive assigns no session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const { id } = await api.session();
  for (const status of ["paused", "draining", "inactive"]) {
    await api.call("PATCH", "/workerpool/pools/pool", { status });
    assert.equal(await api.claim(worker), undefined, status);
  }
  await api.call("POST", "/workerpool/pools/pool/resume");
  assert.equal((await api.claim(worker))?.id, id);
});

Deno.test("a worker receives sessions of its pool only", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.pool({ name: "other" });
  await api.session({ work_pool_id: "other" });
  assert.equal(await api.claim(await api.worker()), undefined);
});

Deno.test("a claim's response leaves out stop commands that its worker has received", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  await api.call("DELETE", `/sessions/${claimed.id}`);
  const path = `/workerpool/workers/${workerId}/claim-session`;
  const told = await api.call("POST", path, {});
  assert.equal(told.body.commands.length, 1);
  const known = await api.call("POST", path, { obeying: [claimed.id] });
  assert.equal(known.status, 204);
});
