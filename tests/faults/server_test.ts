import assert from "node:assert/strict";
import type { GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import {
  chaosGrid,
  GRACE_SECONDS,
  kill,
  LEASE_SECONDS,
} from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { listEvents, statusesIn } from "../support/histories.ts";
import { layLink } from "../support/link.ts";
import { markPage, readMark } from "../support/page_mark.ts";
import { assertCleanEnd, cleanAgain } from "../support/settle.ts";

const LEASE_MS = LEASE_SECONDS * 1_000;
const RAN = ["pending", "starting", "running"];

Deno.test("a server killed between a claim and its response returns the same session to the repeated claim", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await using link = await layLink(grid.url);
  await grid.startWorker({ apiUrl: link.url });
  const lost = link.loseAnswer("/claim-session");
  const { id } = await client.createSession({});
  await lost;
  await kill(grid.server);
  await grid.startServer();
  await eventually("the session runs", async () => {
    return (await client.getSession(id)).status === "running";
  });
  // It was claimed once, and never queued again.
  assert.deepEqual(statusesIn(await listEvents(client, id)), RAN);
  // A process that the browser is about to start has the browser's command line for a moment.
  await eventually(
    "one browser runs",
    async () => (await grid.browserPids()).length === 1,
  );
  await assertCleanEnd(grid, [id]);
});

Deno.test("sessions survive a server outage within the grace period, and their clients find their pages", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await grid.startWorker();
  const session = await client.createSession({}, { waitSeconds: 30 });
  await markPage(session.connect_url, "before");
  await kill(grid.server);
  // Without the grace the worker had ended it by now. The rest of the grace is for a slow start and the next heartbeat.
  await systemClock.sleep(LEASE_MS);
  await grid.startServer();
  assert.equal(await readMark(session.connect_url), "before");
  await systemClock.sleep(LEASE_MS + 2_000);
  assert.equal(await readMark(session.connect_url), "before");
  assert.deepEqual(statusesIn(await listEvents(client, session.id)), RAN);
  await assertCleanEnd(grid, [session.id]);
});

Deno.test("after an outage beyond the grace period nothing runs, and the server serves its queue", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await grid.startWorker({ capacity: 1 });
  const session = await client.createSession({}, { waitSeconds: 30 });
  const waiting = await client.createSession({});
  const downAt = systemClock.monotonic();
  await kill(grid.server);
  await eventually(
    "the worker ends its browser",
    async () => (await grid.browserPids()).length === 0,
    { withinMs: LEASE_MS + GRACE_SECONDS * 1_000 + 3_000 },
  );
  const keptFor = systemClock.monotonic() - downAt;
  assert.ok(keptFor > GRACE_SECONDS * 1_000, `it kept it for ${keptFor} ms`);
  await grid.startServer();
  await eventually("the server knows that it has ended", async () => {
    return (await client.getSession(session.id)).ended_at !== null;
  });
  await eventually("the queue goes on", async () => {
    return (await client.getSession(waiting.id)).status === "running";
  });
  await cleanAgain(grid);
  await assertCleanEnd(grid, [session.id, waiting.id]);
});

Deno.test("of two servers on one database each serves the other's sessions, once, and each may be killed", async () => {
  await using grid = await chaosGrid();
  const second = await grid.startSecondServer();
  await grid.startWorker({ apiUrl: second.url });
  const accepted: string[] = [];
  const first = await runOne(grid.client);
  accepted.push(first.id);
  await markPage(first.connect_url, "through the first");
  const viaSecond = await second.client.getSession(first.id);
  assert.equal(await readMark(viaSecond.connect_url), "through the first");

  await kill(grid.server);
  const alone = await runOne(second.client);
  accepted.push(alone.id);
  assert.equal(await readMark(viaSecond.connect_url), "through the first");
  await grid.startServer();

  await kill(second.process);
  await grid.client.stopSession(alone.id);
  const again = await grid.startSecondServer();
  await eventually(
    "an order given while its server was away is obeyed",
    async () => {
      return (await grid.client.getSession(alone.id)).status === "completed";
    },
  );
  assert.equal(await readMark(first.connect_url), "through the first");
  accepted.push((await runOne(again.client)).id);
  // Every rule ran in both servers, and every change happened once.
  assert.deepEqual(statusesIn(await listEvents(grid.client, first.id)), RAN);
  await assertCleanEnd(grid, accepted);
});

/** A session that runs, asked for at one of the servers. */
async function runOne(client: GridClient) {
  const session = await client.createSession({}, { waitSeconds: 30 });
  assert.equal(session.status, "running");
  return session;
}
