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

Deno.test("the end of a session wakes its worker's claim only if the worker had no room", async () => {
  for (
    const { capacity, reads } of [{ capacity: 2, reads: 0 }, {
      capacity: 1,
      reads: 1,
    }]
  ) {
    await using grid = await testGrid({ clock: createFakeClock() });
    const api = createApiClient(grid);
    await api.pool();
    const worker = await api.worker({ capacity });
    await api.session();
    const claimed = await api.claim(worker);
    assert.ok(claimed);
    const gone = new AbortController();
    const waiting = grid.workers.claim(worker, {
      caller: await findCaller(worker),
      waitSeconds: 30,
      signal: gone.signal,
    });
    await untilWaiting();
    const trips = grid.core.db.trips();
    await api.report(worker, claimed, "completed");
    await untilWaiting();
    // The report, and the read of a woken claim.
    assert.equal(grid.core.db.trips() - trips, 1 + reads);
    gone.abort();
    assert.equal(await waiting, undefined);
  }
});

Deno.test("a session wakes one of many waiting claims, and each claim receives one in order of age", async () => {
  await using grid = await testGrid({ clock: createFakeClock() });
  const api = createApiClient(grid);
  await api.pool();
  const workers = [];
  for (let count = 0; count < 5; count++) workers.push(await api.worker());
  const received: string[] = [];
  const waiting = [];
  for (const worker of workers) {
    waiting.push(
      api.call("POST", `/workerpool/workers/${worker}/claim-session?wait=30`)
        .then(({ body }) => received.push(body.sessions[0].id)),
    );
    await untilWaiting();
  }
  const created: string[] = [];
  for (const _ of workers) {
    const trips = grid.core.db.trips();
    created.push((await api.session()).id);
    await untilWaiting();
    // Two of the create request, and one of the woken claim.
    assert.equal(grid.core.db.trips() - trips, 3);
  }
  await Promise.all(waiting);
  assert.deepEqual(received, created);
});

Deno.test("a session that a draining worker cannot claim goes to the next waiting claim", async () => {
  await using grid = await testGrid({ clock: createFakeClock() });
  const api = createApiClient(grid);
  await api.pool();
  const [full, other] = [await api.worker({ capacity: 1 }), await api.worker()];
  await api.session();
  assert.ok(await api.claim(full));
  const wait = (worker: string) =>
    api.call("POST", `/workerpool/workers/${worker}/claim-session?wait=30`);
  const first = wait(full);
  await untilWaiting();
  const second = wait(other);
  await untilWaiting();
  const { id } = await api.session();
  assert.equal((await second).body.sessions[0].id, id);
  await api.call("POST", `/workerpool/workers/${full}/drain`, {});
  assert.deepEqual((await first).body.sessions, []);
});

Deno.test("sessions that wait for their pool's limit wake one claim for each end", async () => {
  await using grid = await testGrid({ clock: createFakeClock() });
  const api = createApiClient(grid);
  await api.pool({ max_sessions: 1 });
  const { workerId, claimed } = await api.running();
  const waiting = [];
  for (let count = 0; count < 4; count++) {
    const worker = await api.worker();
    waiting.push(
      api.call("POST", `/workerpool/workers/${worker}/claim-session?wait=30`),
    );
    await untilWaiting();
  }
  const next = await api.session();
  await api.session();
  await untilWaiting();
  const trips = grid.core.db.trips();
  await api.report(workerId, claimed, "completed");
  const { body } = await Promise.race(waiting);
  await untilWaiting();
  assert.equal(body.sessions[0].id, next.id);
  // The report, and the read of one claim.
  assert.equal(grid.core.db.trips() - trips, 2);
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
