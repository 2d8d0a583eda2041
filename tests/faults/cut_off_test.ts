import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { chaosGrid, LEASE_SECONDS, signal } from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { listEvents, statusesIn } from "../support/histories.ts";
import { layLink } from "../support/link.ts";
import { markPage, readMark } from "../support/page_mark.ts";
import { assertCleanEnd, cleanAgain } from "../support/settle.ts";

const LEASE_MS = LEASE_SECONDS * 1_000;

Deno.test("a network failure for a third of a worker's lease, 10 s by default, changes nothing", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await using link = await layLink(grid.url);
  const worker = await grid.startWorker({ apiUrl: link.url });
  const session = await client.createSession({}, { waitSeconds: 30 });
  await markPage(session.connect_url, "still here");
  const cuts = [() => link.hang(), () => link.refuse()];
  for (const cut of cuts) {
    await cut();
    await systemClock.sleep(LEASE_MS / 3);
    await link.restore();
    await eventually("the worker is heard again", async () => {
      const { last_heartbeat, status } = await client.getWorker(worker.id);
      return Date.now() - Date.parse(last_heartbeat) < 1_000 &&
        status === "online";
    });
  }
  await systemClock.sleep(LEASE_MS);
  assert.equal(await readMark(session.connect_url), "still here");
  const statuses = statusesIn(await listEvents(client, session.id));
  assert.deepEqual(statuses, ["pending", "starting", "running"]);
  await assertCleanEnd(grid, [session.id]);
});

Deno.test("a worker that is cut off beyond its lease ends its browsers before the lease expires, and starts clean when it is back", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await using link = await layLink(grid.url);
  const worker = await grid.startWorker({ apiUrl: link.url });
  const session = await client.createSession({}, { waitSeconds: 30 });
  assert.equal((await grid.browserPids()).length, 1);
  link.hang();
  let statusBefore = "";
  await eventually("the browser ends", async () => {
    statusBefore = (await client.getSession(session.id)).status;
    return (await grid.browserPids()).length === 0;
  }, { withinMs: LEASE_MS + 2_000 });
  assert.equal(statusBefore, "running");
  await eventually("the server gives up on it", async () => {
    const { status } = await client.getSession(session.id);
    return status === "crashed" &&
      (await client.getWorker(worker.id)).status === "offline";
  }, { withinMs: LEASE_MS + 4_000 });

  await link.restore();
  await cleanAgain(grid);
  const next = await client.createSession({}, { waitSeconds: 30 });
  assert.equal(next.worker_id, worker.id);
  assert.equal((await grid.browserPids()).length, 1);
  await assertCleanEnd(grid, [session.id, next.id]);
});

Deno.test("a worker that is stopped for longer than its lease and resumed ends the sessions that it lost, and no session has two owners", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  const sleeper = await grid.startWorker({ name: "sleeper" });
  const running = await client.createSession({}, { waitSeconds: 30 });
  await Deno.writeTextFile(grid.holdFile, "");
  const starting = await client.createSession({});
  await eventually(
    "the second session starts",
    async () => (await grid.browserPids()).length === 2,
  );
  const other = await grid.startWorker({ name: "other" });
  signal(sleeper.process, "SIGSTOP");
  await eventually(
    "what ran has crashed, what started is the other's",
    async () => {
      const first = await client.getSession(running.id);
      const second = await client.getSession(starting.id);
      return first.status === "crashed" && second.worker_id === other.id;
    },
    { withinMs: LEASE_MS + 6_000 },
  );
  await Deno.remove(grid.holdFile);
  await eventually("the other runs it", async () => {
    return (await client.getSession(starting.id)).status === "running";
  });

  signal(sleeper.process, "SIGCONT");
  await eventually("only the new owner's browser is left", async () => {
    return (await grid.browserPids()).length === 1;
  });
  await cleanAgain(grid);
  const owned = await client.getSession(starting.id);
  assert.equal(owned.status, "running");
  assert.equal(owned.worker_id, other.id);
  assert.deepEqual(statusesIn(await listEvents(client, running.id)), [
    "pending",
    "starting",
    "running",
    "crashed",
  ]);
  await eventually("the sleeper serves again", async () => {
    return (await client.getWorker(sleeper.id)).status === "online";
  });
  await assertCleanEnd(grid, [running.id, starting.id]);
});

Deno.test("a session that is claimed after a wait of more than a lease is kept", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await grid.startWorker();
  // The lease counts from the claim's answer, not from the question, which is held for as long as there is nothing.
  await systemClock.sleep(LEASE_MS + 1_000);
  const session = await client.createSession({}, { waitSeconds: 30 });
  await markPage(session.connect_url, "mine");
  await systemClock.sleep(LEASE_MS);
  assert.equal(await readMark(session.connect_url), "mine");
  const statuses = statusesIn(await listEvents(client, session.id));
  assert.deepEqual(statuses, ["pending", "starting", "running"]);
  await assertCleanEnd(grid, [session.id]);
});
