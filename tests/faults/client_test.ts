import assert from "node:assert/strict";
import { chaosGrid, kill } from "../support/chaos_grid.ts";
import type { GridClient } from "../../src/client/client.ts";
import type { SessionWire } from "../../src/apps/sessions/schemas.ts";
import { eventually } from "../support/eventually.ts";
import { listEvents, statusesIn } from "../support/histories.ts";
import { startNode } from "../support/node_process.ts";
import { listenTo } from "../support/page_mark.ts";
import { assertCleanEnd, CLEAN_MS } from "../support/settle.ts";

/** Connects with a new session, reports it, and stays connected indefinitely. */
const ENDLESS = (url: string) =>
  `import puppeteer from "puppeteer-core";
   const browser = await puppeteer.connect({ browserWSEndpoint: "${url}" });
   await browser.newPage();
   console.log("connected");
   setInterval(() => {}, 1_000);`;

Deno.test("killing a client ends the session that its connection created, and the browser", async () => {
  await using grid = await chaosGrid();
  await grid.startWorker();
  await using program = await startNode(ENDLESS(connectUrl(grid)));
  assert.equal(await program.line(), "connected");
  const { id } = await onlySession(grid.client);
  program.kill();
  await eventually("the session ends", async () => {
    return (await grid.client.getSession(id)).ended_at !== null;
  }, { withinMs: 5_000 });
  await eventually(
    "nothing of its browser is left",
    async () => (await grid.traces()).length === 0,
    { withinMs: 5_000 },
  );
  await assertCleanEnd(grid, [id]);
});

Deno.test("a client that disconnects while its session is queued cancels it at once, and no browser is started", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await grid.startWorker({ capacity: 1 });
  const holder = await client.createSession({}, { waitSeconds: 30 });
  await using program = await startNode(ENDLESS(connectUrl(grid)));
  const waiting = await eventually("a second session waits", async () => {
    const { items } = await client.listSessions({ status: "pending" });
    return items[0];
  });
  program.kill();
  await eventually("it is withdrawn", async () => {
    return (await client.getSession(waiting.id)).ended_at !== null;
  }, { withinMs: 2_000 });
  await client.stopSession(holder.id);
  const next = await client.createSession({}, { waitSeconds: 30 });
  const statuses = statusesIn(await listEvents(client, waiting.id));
  assert.equal(statuses.length, 2, statuses.join());
  await assertCleanEnd(grid, [holder.id, waiting.id, next.id]);
});

Deno.test("sessions created by connections through a killed server end within 30 s of its restart, sessions created by POST keep running", async () => {
  await using grid = await chaosGrid();
  const { client } = grid;
  await grid.startWorker({ capacity: 2 });
  const lasting = await client.createSession({}, { waitSeconds: 30 });
  await using running = await listenTo(connectUrl(grid));
  const waiting = new WebSocket(connectUrl(grid));
  const refused = new Promise((resolve) => waiting.onclose = resolve);
  const ephemeral = await eventually("one runs and one waits", async () => {
    const { items } = await client.listSessions();
    const others = items.filter(({ id }) => id !== lasting.id);
    return others.length === 2 ? others : undefined;
  });
  await kill(grid.server);
  await Promise.all([running.closed, refused]);
  await grid.startServer();
  await eventually("both have ended", async () => {
    const found = await Promise.all(
      ephemeral.map(({ id }) => client.getSession(id)),
    );
    return found.every(({ ended_at }) => ended_at !== null);
  }, { withinMs: CLEAN_MS });
  assert.equal((await client.getSession(lasting.id)).status, "running");
  await eventually(
    "one browser is left",
    async () => (await grid.browserPids()).length === 1,
  );
  await assertCleanEnd(grid, [lasting, ...ephemeral].map(({ id }) => id));
});

function connectUrl({ url }: { readonly url: string }): string {
  return `${url.replace(/^http/, "ws")}/v1/connect`;
}

async function onlySession(client: GridClient): Promise<SessionWire> {
  const { items: [session, ...others] } = await client.listSessions();
  assert.ok(session);
  assert.deepEqual(others, []);
  return session;
}
