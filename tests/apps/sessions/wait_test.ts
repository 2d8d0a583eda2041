import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { proofHeaders } from "../../../src/core/worker_proof.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { findCaller, findProof } from "../../support/worker_proofs.ts";

Deno.test("POST sessions?wait responds with 201 as soon as the browser runs", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const asked = api.call("POST", "/sessions?wait=300", {});
  const wait = `/workerpool/workers/${worker}/claim-session?wait=30`;
  const { body: { sessions: [session] } } = await api.call("POST", wait);
  await api.report(worker, session, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  const { status, body } = await asked;
  assert.deepEqual([status, body.status], [201, "running"]);
});

Deno.test("POST sessions?wait responds with 202 and the current session at its timeout", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { status, headers, body } = await api.call(
    "POST",
    "/sessions?wait=0.05",
    {},
  );
  assert.deepEqual([status, body.status], [202, "pending"]);
  assert.equal(headers.get("location"), `/v1/sessions/${body.id}`);
});

Deno.test("POST sessions?wait responds with the reason why a session failed", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const asked = api.call("POST", "/sessions?wait=300", {});
  const wait = `/workerpool/workers/${worker}/claim-session?wait=30`;
  const { body: { sessions: [session] } } = await api.call("POST", wait);
  await api.report(worker, session, "failed", {
    status_reason: "the disk is full",
  });
  assertRefused(
    await asked,
    { status: 502, code: "session_failed" },
    /the disk is full/,
  );
});

Deno.test("a new session wakes a waiting claim without an advance of the clock", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const trips = grid.core.db.trips();
  const waiting = api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  const { id } = await api.session();
  const { body } = await waiting;
  assert.equal(body.sessions[0].id, id);
  // The first read, two of the create request, and the read that found the session.
  assert.ok(grid.core.db.trips() - trips <= 4);
});

Deno.test("a waiting claim ends at its timeout", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const { status, text } = await api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=0.05`,
  );
  assert.deepEqual([status, text], [204, ""]);
});

Deno.test("a claim whose worker has disconnected receives no session", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const gone = new AbortController();
  const path = `/v1/workerpool/workers/${worker}/claim-session?wait=30`;
  const trips = grid.core.db.trips();
  const waiting = fetch(grid.url + path, {
    method: "POST",
    headers: proofHeaders(findProof(worker)),
    signal: gone.signal,
  });
  while (grid.core.db.trips() === trips) await systemClock.sleep(5);
  gone.abort();
  await assert.rejects(waiting);
  // The server notices the disconnect later than the client: a second claim is answered after that.
  assert.equal(await api.claim(worker), undefined);
  const later = await fetch(grid.url + path.replace("30", "0.05"), {
    method: "POST",
    headers: proofHeaders(findProof(worker)),
  });
  await later.body?.cancel();
  const { id } = await api.session();
  assert.equal(
    (await api.call("GET", `/sessions/${id}`)).body.status,
    "pending",
  );
});

Deno.test("the end of a session wakes its worker's claim, and the claims of other workers only if the pool has a limit", async () => {
  for (const limit of [null, 1]) {
    await using grid = await testGrid({ clock: createFakeClock() });
    const api = createApiClient(grid);
    await api.pool({ max_sessions: limit });
    const { workerId, claimed } = await api.running();
    const other = await api.worker();
    const gone = new AbortController();
    const wait = async (worker: string) =>
      await grid.workers.claim(worker, {
        caller: await findCaller(worker),
        waitSeconds: 30,
        signal: gone.signal,
      });
    const waiting = [wait(other), wait(workerId)];
    await untilWaiting();
    const trips = grid.core.db.trips();
    await api.report(workerId, claimed, "completed");
    await untilWaiting();
    // The report, and the reads of the woken claims.
    assert.equal(grid.core.db.trips() - trips, limit === null ? 2 : 3);
    gone.abort();
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
  }
});

Deno.test("a change of its pool ends a waiting claim, and the next claim applies the pool's limit", async () => {
  await using grid = await testGrid({ clock: createFakeClock() });
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const other = await api.worker();
  const claim = () =>
    api.call("POST", `/workerpool/workers/${other}/claim-session?wait=30`);
  const changed = claim();
  await untilWaiting();
  const { status, text } = await api.call("PATCH", "/workerpool/pools/pool", {
    max_sessions: 1,
  });
  assert.equal(status, 200, text);
  assert.deepEqual((await changed).body.sessions, []);
  const waiting = claim();
  await untilWaiting();
  const { id } = await api.session();
  await untilWaiting();
  await api.report(workerId, claimed, "completed");
  assert.equal((await waiting).body.sessions[0].id, id);
});
