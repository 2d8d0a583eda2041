import assert from "node:assert/strict";
import { chaosGrid, signal, waitForExit } from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { listenTo } from "../support/page_mark.ts";
import { assertCleanEnd } from "../support/settle.ts";

Deno.test("a worker that is asked to end keeps its session running, claims no other, and leaves when the session ends", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker({ capacity: 2 });
  const session = await client.createSession({}, { waitSeconds: 30 });
  await using listener = await listenTo(session.connect_url);
  signal(worker.process, "SIGTERM");
  await worker.process.until(/Draining: no new sessions/);
  await eventually("it drains", async () => {
    return (await client.getWorker(worker.id)).status === "draining";
  });
  const late = await client.createSession({});
  const other = await grid.startWorker({ name: "other" });
  await eventually("another worker takes what comes", async () => {
    const { status, worker_id } = await client.getSession(late.id);
    return status === "running" && worker_id === other.id;
  });
  assert.equal((await client.getSession(session.id)).status, "running");
  await client.stopSession(session.id);
  await listener.closed;
  assert.equal(await waitForExit(worker.process), 0, worker.process.output());
  // It has deregistered, so that the server does not wait for missed heartbeats.
  assert.equal((await client.getWorker(worker.id)).status, "offline");
  await assertCleanEnd(grid, [session.id, late.id]);
});

Deno.test("a second signal ends a draining worker's browsers and the worker at once", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker();
  const session = await client.createSession({}, { waitSeconds: 30 });
  signal(worker.process, "SIGTERM");
  await eventually("it drains", async () => {
    return (await client.getWorker(worker.id)).status === "draining";
  });
  await eventually("the second signal ends the session", () => {
    // A signal right after the first one counts as the same.
    signal(worker.process, "SIGTERM");
    return Promise.resolve(
      worker.process.output().includes("its worker was stopped at once"),
    );
  }, { withinMs: 5_000 });
  assert.deepEqual(await grid.traces(), []);
  const { status } = await client.getSession(session.id);
  assert.equal(status, "terminated");
  assert.equal((await client.getWorker(worker.id)).status, "offline");
  await assertCleanEnd(grid, [session.id]);
});

Deno.test("a drain with a deadline ends the sessions that still run then, and the worker leaves", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker();
  const session = await client.createSession({}, { waitSeconds: 30 });
  const answer = await fetch(
    `${grid.url}/v1/workerpool/workers/${worker.id}/drain`,
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ timeout_seconds: 2 }),
    },
  );
  assert.ok(answer.ok, await answer.text());
  assert.equal((await client.getSession(session.id)).status, "running");
  assert.equal(await waitForExit(worker.process), 0, worker.process.output());
  const { status, status_reason } = await client.getSession(session.id);
  assert.equal(status, "terminated");
  assert.match(status_reason ?? "", /its worker had to leave/);
  assert.equal((await client.getWorker(worker.id)).status, "offline");
  // It may come back: the drain is over with it.
  const again = await grid.startWorker();
  const next = await client.createSession({}, { waitSeconds: 30 });
  assert.equal(next.worker_id, again.id);
  await assertCleanEnd(grid, [session.id, next.id]);
});
