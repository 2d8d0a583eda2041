import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import {
  chaosGrid,
  kill,
  LEASE_SECONDS,
  waitForExit,
} from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { listEvents } from "../support/histories.ts";
import { markPage, readMark } from "../support/page_mark.ts";
import { assertCleanEnd, cleanAgain } from "../support/settle.ts";

Deno.test("a killed worker that is not restarted is offline within 3 heartbeats; its running sessions have crashed, its starting ones are queued again, and its browsers end at its next start", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker({ capacity: 2 });
  const running = await client.createSession({}, { waitSeconds: 30 });
  await Deno.writeTextFile(grid.holdFile, "");
  const starting = await client.createSession({});
  await eventually("the second session starts", async () => {
    const { status } = await client.getSession(starting.id);
    return status === "starting" && (await grid.browserPids()).length === 2;
  });
  const killedAt = systemClock.monotonic();
  await kill(worker.process);
  await eventually("the worker is offline", async () => {
    return (await client.getWorker(worker.id)).status === "offline";
  });
  // Three heartbeats of a second, and the reconciler's longest pause.
  const offlineAfter = systemClock.monotonic() - killedAt;
  assert.ok(offlineAfter < 3_000 + 3_000 + 1_000, `${offlineAfter} ms`);
  await eventually("what ran has crashed, and what started waits", async () => {
    const first = await client.getSession(running.id);
    const second = await client.getSession(starting.id);
    return first.status === "crashed" && second.status === "pending";
  }, { withinMs: LEASE_SECONDS * 1_000 + 4_000 });
  assert.equal((await grid.browserPids()).length, 2);
  const { status_reason } = await client.getSession(running.id);
  assert.match(status_reason ?? "", /worker was lost/);

  await Deno.remove(grid.holdFile);
  const again = await grid.startWorker({ capacity: 2 });
  assert.equal(again.id, worker.id);
  await cleanAgain(grid);
  await eventually("the queue goes on", async () => {
    return (await client.getSession(starting.id)).status === "running";
  });
  assert.equal((await grid.browserPids()).length, 1);
  await assertCleanEnd(grid, [running.id, starting.id]);
});

Deno.test("a killed worker that is restarted within its lease adopts its browsers: clients find their pages, and no status changes", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker();
  const session = await client.createSession({}, { waitSeconds: 30 });
  await markPage(session.connect_url, "as it was");
  const before = await listEvents(client, session.id);
  await kill(worker.process);
  const again = await grid.startWorker();
  assert.equal(again.id, worker.id);
  assert.equal(await readMark(session.connect_url), "as it was");
  // Longer than the lease: it was renewed by the worker that came back.
  await systemClock.sleep(LEASE_SECONDS * 1_000 + 2_000);
  assert.equal(await readMark(session.connect_url), "as it was");
  const after = await listEvents(client, session.id);
  // Clients come and go, and leave the session idle.
  const others = after.slice(before.length).filter(({ event }) =>
    !/^(client_|session_(idle|active)$)/.test(event)
  );
  assert.deepEqual(others, []);
  assert.equal((await client.getSession(session.id)).status, "running");
  await assertCleanEnd(grid, [session.id]);
});

Deno.test("a second process of the same worker is rejected with one line, and the first keeps running", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await grid.startWorker();
  const session = await client.createSession({}, { waitSeconds: 30 });
  const second = grid.spawnWorker();
  assert.notEqual(await waitForExit(second), 0, second.output());
  const lines = second.output().trim().split("\n");
  assert.equal(lines.length, 1, second.output());
  assert.match(
    lines[0] ?? "",
    /^error: Cannot start the worker: .* the same worker/,
  );
  assert.equal((await client.getSession(session.id)).status, "running");
  const next = await client.createSession({}, { waitSeconds: 30 });
  assert.equal(next.status, "running");
  await assertCleanEnd(grid, [session.id, next.id]);
});
