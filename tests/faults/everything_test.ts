import assert from "node:assert/strict";
import { chaosGrid, kill } from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { assertCleanEnd, cleanAgain } from "../support/settle.ts";

Deno.test("after all processes are killed at once and restarted, the grid reports running sessions correctly, leaves nothing, and serves its queue", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker({ capacity: 2 });
  const ran = [
    await client.createSession({}, { waitSeconds: 30 }),
    await client.createSession({}, { waitSeconds: 30 }),
  ];
  const queued = [
    await client.createSession({}),
    await client.createSession({ priority: 1 }),
  ];
  await kill(grid.server, worker.process);
  for (const pid of await grid.browserPids()) Deno.kill(pid, "SIGKILL");

  await grid.startServer();
  const again = await grid.startWorker({ capacity: 2 });
  assert.equal(again.id, worker.id);
  await eventually("the queue goes on", async () => {
    const found = await Promise.all(
      queued.map(({ id }) => client.getSession(id)),
    );
    return found.every(({ status }) => status === "running");
  });
  for (const { id } of ran) {
    const { status, status_reason } = await client.getSession(id);
    assert.equal(status, "crashed");
    assert.ok(status_reason);
  }
  await cleanAgain(grid);
  // A browser that has just started is seen twice while it forks its helpers.
  await eventually(
    "each that runs has one browser",
    async () => (await grid.browserPids()).length === 2,
  );
  await assertCleanEnd(grid, [...ran, ...queued].map(({ id }) => id));
});

Deno.test("after server and worker are killed at once and restarted, browsers that survived keep their sessions", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const worker = await grid.startWorker();
  const session = await client.createSession({}, { waitSeconds: 30 });
  const [pid] = await grid.browserPids();
  await kill(grid.server, worker.process);
  await grid.startServer();
  await grid.startWorker();
  await eventually("it is counted as running by its new process", async () => {
    const { status, details } = await client.getSession(session.id);
    return status === "running" && details.pid === String(pid);
  });
  await eventually(
    "its browser is the only one",
    async () => (await grid.browserPids()).join() === String(pid),
  );
  await assertCleanEnd(grid, [session.id]);
});
