import assert from "node:assert/strict";
import { proofHeaders } from "../../../src/core/worker_proof.ts";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

const WORKERS = "/workerpool/workers";

const SECRET = "a-secret-of-16-letters";

/** Returns the API as a process of the worker "one" calls it. */
function createProcess(grid: TestGrid, instanceId: string): Api {
  return createApiClient(grid, proofHeaders({ secret: SECRET, instanceId }));
}

/** Registers a process of the worker "one"; returns the registration. */
async function register(api: Api, instance_id: string) {
  const { status, body } = await api.call("POST", WORKERS, {
    work_pool_id: "pool",
    name: "one",
    secret: SECRET,
    instance_id,
  });
  assert.equal(status, 201);
  return body;
}

Deno.test("a worker's new process takes over its sessions with new fencing tokens and full leases", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const first = await register(api, crypto.randomUUID());
  const { id } = await api.session();
  const claimed = await api.claim(first.worker.id);
  assert.equal(claimed?.fencing_token, 1);
  const second = await register(api, crypto.randomUUID());
  assert.deepEqual(second.held_sessions, [{
    session_id: id,
    fencing_token: 2,
    status: "starting",
  }]);
  const report = (fencing_token: number) =>
    api.report(first.worker.id, { id, fencing_token }, "running");
  assert.equal(await report(1), "lease_lost");
  assert.equal(await report(2), "accepted");
});

Deno.test("every call of an earlier process of a worker is rejected and changes nothing", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const [older, newer] = [crypto.randomUUID(), crypto.randomUUID()];
  const { worker: { id } } = await register(api, older);
  await register(api, newer);
  await api.session();
  const beat = (instance: string, fields = {}) =>
    createProcess(grid, instance).call(
      "PUT",
      `${WORKERS}/${id}/heartbeat`,
      fields,
    );
  const claim = (instance: string) =>
    createProcess(grid, instance).call(
      "POST",
      `${WORKERS}/${id}/claim-session`,
    );
  const refusal = { status: 409, code: "worker_replaced" };
  assertRefused(await beat(older, { current_load: 4 }), refusal);
  assertRefused(await claim(older), refusal);
  const { body } = await api.call("GET", `${WORKERS}/${id}`);
  assert.equal(body.current_load, 0);
  assert.equal((await beat(newer, { current_load: 1 })).status, 200);
  assert.equal((await claim(newer)).body.sessions.length, 1);
});

Deno.test("an offline heartbeat of an earlier process changes nothing for the newer one", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const [older, newer] = [crypto.randomUUID(), crypto.randomUUID()];
  const { worker: { id } } = await register(api, older);
  const { id: session } = await api.session();
  await register(api, newer);
  const claimed = await api.claim(id);
  assert.equal(claimed?.id, session);
  const path = `${WORKERS}/${id}/heartbeat`;
  const bye = await createProcess(grid, older).call("PUT", path, {
    status: "offline",
    sessions: [{ session_id: session, fencing_token: 1, status: "terminated" }],
  });
  assert.equal(bye.body.code, "worker_replaced");
  const { body } = await api.call("GET", `/sessions/${session}`);
  assert.deepEqual([body.status, body.worker_id], ["starting", id]);
});

Deno.test("a repeated, late or rejected registration changes nothing for the running process", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const instance = crypto.randomUUID();
  const { worker: { id } } = await register(api, instance);
  await api.session();
  const claimed = await api.claim(id);
  assert.ok(claimed);
  await api.call("POST", `${WORKERS}/${id}/drain`, {});
  const again = await register(api, instance);
  assert.equal(again.worker.status, "draining", "a drain is not undone");
  assert.equal(again.held_sessions[0].fencing_token, 1);
  await api.call("POST", WORKERS, { work_pool_id: "pool", name: "other" });
  await api.call("PATCH", "/workerpool/pools/pool", { max_workers: 1 });
  const refused = await api.call("POST", WORKERS, {
    work_pool_id: "pool",
    name: "one",
    secret: "a-secret-of-16-letters",
    instance_id: crypto.randomUUID(),
  });
  assertRefused(refused, { status: 409, code: "pool_full" });
  assert.equal(await api.report(id, claimed, "running"), "accepted");
});

Deno.test("a released session is pending again, for any worker, until its attempts are used up", async () => {
  await using grid = await testGrid({ settings: { max_start_attempts: 2 } });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const worker = await api.worker({ name: "one" });
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  const release = (of: typeof claimed) =>
    api.report(of === claimed ? worker : other, of, "released", {
      status_reason: "its engine was away",
    });
  const other = await api.worker({ name: "other" });
  assert.equal(await release(claimed), "accepted");
  assert.equal(await release(claimed), "accepted", "also when it is repeated");
  const waiting = await api.call("GET", `/sessions/${id}`);
  assert.deepEqual(
    [waiting.body.status, waiting.body.worker_id],
    ["pending", null],
  );
  const again = await api.claim(other);
  assert.deepEqual([again?.id, again?.fencing_token], [id, 2]);
  assert.ok(again);
  await release(again);
  const { body } = await api.call("GET", `/sessions/${id}?include=events`);
  assert.deepEqual(
    [body.status, body.status_reason],
    ["failed", "its engine was away"],
  );
  const names = body.events.map(({ event }: { event: string }) => event);
  assert.deepEqual(names.slice(2), [
    "session_starting",
    "session_requeued",
    "session_starting",
    "session_failed",
  ]);
});

Deno.test("a session that is released at its queue deadline can be claimed for another minute, without traces of its first attempt", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const worker = await api.worker();
  clock.advance(299_000);
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  clock.advance(2_000);
  await api.report(worker, claimed, "released", {
    status_reason: "its engine was away",
    container_id: "first",
    details: { image: "first" },
    logs: "first",
  });
  clock.advance(60_000);
  assert.equal(await grid.sessions.deadlines.failOverdue(), 0);
  assert.equal((await grid.sessions.get(id)).containerId, "first");
  assert.equal((await api.claim(worker))?.id, id);
  const { status, statusReason, containerId, details } = await grid.sessions
    .get(id);
  assert.deepEqual([status, statusReason, containerId, details], [
    "starting",
    null,
    null,
    {},
  ]);
  assert.equal(await grid.sessions.logs(id), "");
});

Deno.test("a session that is released after it was stopped ends as requested", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  await api.call("DELETE", `/sessions/${id}`);
  await api.report(worker, claimed, "released");
  const { body } = await api.call("GET", `/sessions/${id}`);
  assert.equal(body.status, "completed");
});

Deno.test("a heartbeat returns the remaining lifetime of each session as a duration, and follows a refresh", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running({
    resource_limits: { timeout_minutes: 5 },
  });
  const left = async () => {
    const { body } = await api.call("PUT", `${WORKERS}/${workerId}/heartbeat`, {
      sessions: [{
        session_id: claimed.id,
        fencing_token: claimed.fencing_token,
        status: "running",
      }],
    });
    return body.reports[0].expires_in_ms / 60_000;
  };
  const before = await left();
  assert.ok(before > 4.9 && before <= 5, String(before));
  await api.call("POST", `/sessions/${claimed.id}/refresh`, {
    timeout_minutes: 20,
  });
  const after = await left();
  assert.ok(after > 19.9 && after <= 20, String(after));
});

Deno.test("a worker that leaves is offline at once; a worker whose drain is cancelled can claim again", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const id = await api.worker();
  await api.session();
  await api.call("POST", `${WORKERS}/${id}/drain`, {});
  assert.equal(await api.claim(id), undefined);
  const resumed = await api.call("POST", `${WORKERS}/${id}/resume`);
  assert.equal(resumed.body.status, "online");
  const beat = await api.call("PUT", `${WORKERS}/${id}/heartbeat`, {});
  assert.deepEqual(beat.body.commands, [], "no drain any more");
  assert.ok(await api.claim(id));
  const bye = await api.call("PUT", `${WORKERS}/${id}/heartbeat`, {
    status: "offline",
  });
  assert.equal(bye.body.status, "offline");
  assertRefused(
    await api.call("POST", `${WORKERS}/${id}/drain`, { timeout_seconds: -1 }),
    { status: 422, code: "invalid_request" },
    /timeout_seconds/,
  );
});

Deno.test("a worker that has failed keeps its sessions and gets no others", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  await api.session();
  const beat = await api.call("PUT", `${WORKERS}/${workerId}/heartbeat`, {
    status: "failed",
    sessions: [{
      session_id: claimed.id,
      fencing_token: claimed.fencing_token,
      status: "running",
    }],
  });
  assert.equal(beat.body.status, "failed");
  assert.equal(await api.claim(workerId), undefined);
  const { body } = await api.call("GET", `/sessions/${claimed.id}`);
  assert.equal(body.status, "running");
});
