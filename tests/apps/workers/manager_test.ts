import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const WORKERS = "/workerpool/workers";
const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

Deno.test("every heartbeat of a drained worker returns the drain command; it gets no session and stays draining", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const id = await api.worker();
  const { body } = await api.call("POST", `${WORKERS}/${id}/drain`);
  assert.equal(body.status, "draining");
  await api.session();
  assert.equal(await api.claim(id), undefined);
  for (let beat = 0; beat < 2; beat++) {
    const answer = await api.call("PUT", `${WORKERS}/${id}/heartbeat`, {
      status: "online",
    });
    assert.equal(answer.body.status, "draining");
    const [{ type, timeout_ms }] = answer.body.commands;
    assert.equal(type, "drain");
    assert.ok(timeout_ms > 3_590_000 && timeout_ms <= 3_600_000, timeout_ms);
  }
});

Deno.test("DELETE removes an idle worker and rejects one that holds sessions", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  assertRefused(await api.call("DELETE", `${WORKERS}/${workerId}`), {
    status: 409,
    code: "worker_busy",
  });
  await api.report(workerId, claimed, "completed");
  assert.equal(
    (await api.call("DELETE", `${WORKERS}/${workerId}`)).status,
    204,
  );
  const { body } = await api.call("GET", `/sessions/${claimed.id}`);
  assert.equal(body.worker_id, workerId, "the session keeps its worker's id");
});

Deno.test("GET workers lists workers page by page, and by pool and status", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const other = await api.pool({ name: "other" });
  const ids = [await api.worker(), await api.worker()];
  await api.worker({ work_pool_id: "other" });
  const list = async (query: string) =>
    (await api.call("GET", `${WORKERS}?${query}`)).body;
  const first = await list("limit=1");
  assert.deepEqual(first.items[0].id, ids[0]);
  const second = await list(`limit=1&cursor=${first.next_cursor}`);
  assert.deepEqual(second.items[0].id, ids[1]);
  assert.equal((await list(`work_pool_id=${other.id}`)).items.length, 1);
  assert.equal((await list("status=offline")).items.length, 0);
});

Deno.test("every request about an unknown worker is rejected with the same problem", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  for (const id of ["not-an-id", UNKNOWN]) {
    const asked: [string, string, unknown?][] = [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/drain"],
      ["POST", "/claim-session"],
      ["PUT", "/heartbeat", {}],
    ];
    for (const [method, path, json] of asked) {
      assertRefused(await api.call(method, `${WORKERS}/${id}${path}`, json), {
        status: 404,
        code: "worker_not_found",
      });
    }
  }
});
