import assert from "node:assert/strict";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { createFakeClock } from "../../support/clock.ts";
import { waitForEvent } from "../../support/wait_for_event.ts";
import {
  type RawClient,
  rawClient,
  readBytes,
} from "../../support/raw_client.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { gatewayScene, type SceneOptions } from "../scene.ts";

const SECOND = 1_000;

/** Seconds of one step of the clock, short enough for the records of gateway and worker. */
const STEP = 10;

/** A scene with a fake clock. */
async function scene(session: SceneOptions["session"] = {}) {
  const clock = createFakeClock();
  const set = await gatewayScene({ session, grid: { clock } });
  const { grid, api, sessionId: id } = set;
  const { core: { bus }, sessions } = grid;
  const published: string[] = [];
  bus.subscribe(({ type, subject }) => {
    if (subject === id && /idle|active/.test(type)) published.push(type);
  });
  const { workerId, fencingToken } = await sessions.get(id);
  assert.ok(workerId);
  const claimed = { id, fencing_token: fencingToken };
  return {
    ...set,
    published,
    /** Advances the clock in steps, after each of which gateway, worker and reconciler act. */
    async pass(seconds: number) {
      for (let left = seconds; left > 0; left -= STEP) {
        clock.advance(Math.min(STEP, left) * SECOND);
        await untilWaiting();
        await api.report(workerId, claimed, "running");
        await reconcileOnce(grid);
      }
    },
    async idleSince(): Promise<number | undefined> {
      const { idleSince } = await sessions.get(id);
      return idleSince === null
        ? undefined
        : (clock.now() - idleSince) / SECOND;
    },
    async ordered(): Promise<unknown> {
      const { stopStatus } = await sessions.get(id);
      return stopStatus;
    },
    eventOf: async (name: string, nth?: number) =>
      (await waitForEvent(
        grid,
        id,
        nth === undefined ? { name } : { name, nth },
      ))
        .data,
  };
}

async function say({ socket }: RawClient): Promise<void> {
  socket.write("hello");
  await readBytes(socket, 5);
}

Deno.test("a session is idle when its last client disconnects, and active when a client connects", async () => {
  await using s = await scene({ max_connections: 2 });
  const clients = [await rawClient(s.url), await rawClient(s.url)];
  await s.eventOf("client_connected", 2);
  clients[0]?.[Symbol.dispose]();
  await s.eventOf("client_disconnected");
  assert.equal(await s.idleSince(), undefined);
  clients[1]?.[Symbol.dispose]();
  const { why, idle_seconds } = await s.eventOf("session_idle");
  assert.deepEqual([why, idle_seconds], ["no client", 0]);
  await s.pass(12);
  assert.equal(await s.idleSince(), 12);
  using _again = await rawClient(s.url);
  assert.equal((await s.eventOf("session_active")).idle_seconds, 12);
  assert.equal(await s.idleSince(), undefined);
  assert.deepEqual(s.published, ["session_idle", "session_active"]);
  const { body } = await s.api.call("GET", `/sessions/${s.sessionId}`);
  assert.equal(body.idle_since, null);
});

Deno.test("a session whose client sends no data for 30 s is idle, and active with the next data; each event is published once", async () => {
  await using s = await scene();
  using client = await rawClient(s.url);
  await s.eventOf("client_connected");
  await s.pass(30);
  assert.equal(await s.idleSince(), undefined);
  await s.pass(4);
  assert.ok((await s.idleSince() ?? 0) > 30);
  assert.equal((await s.eventOf("session_idle")).why, "no traffic");
  await s.pass(20);
  await say(client);
  await s.pass(4);
  await s.eventOf("session_active");
  assert.equal(await s.idleSince(), undefined);
  await s.pass(20);
  const { body } = await s.api.call(
    "GET",
    `/sessions/${s.sessionId}/events`,
  );
  const recorded = body.items.map(({ event }: { event: string }) => event)
    .filter((event: string) => /idle|active/.test(event));
  assert.deepEqual(recorded, ["session_idle", "session_active"]);
  assert.deepEqual(s.published, recorded);
});

Deno.test("idle_timeout_seconds ends a session whose client is connected but sends no data, not one with traffic", async () => {
  await using s = await scene({ idle_timeout_seconds: 40 });
  using client = await rawClient(s.url);
  await s.eventOf("client_connected");
  for (let time = 0; time < 5; time++) {
    await say(client);
    await s.pass(4);
    await s.pass(16);
  }
  assert.equal(await s.ordered(), null);
  await s.pass(30);
  assert.equal(await s.ordered(), "timed_out");
});

Deno.test("the idle time of a session starts when its client disconnects, also after a time without data", async () => {
  await using s = await scene({ idle_timeout_seconds: 40 });
  const client = await rawClient(s.url);
  await s.eventOf("client_connected");
  await s.pass(36);
  client[Symbol.dispose]();
  await s.eventOf("client_disconnected");
  await s.pass(40);
  assert.equal(await s.ordered(), null);
  await s.pass(4);
  assert.equal(await s.ordered(), "timed_out");
});
