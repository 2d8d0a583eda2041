import assert from "node:assert/strict";
import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { awaitStatus } from "../support/await_status.ts";
import { createFakeClock } from "../support/clock.ts";
import { waitForEvent } from "../support/wait_for_event.ts";
import { eventually } from "../support/eventually.ts";
import { testGrid } from "../support/grid.ts";
import { readProblem } from "../support/read_problem.ts";
import { askUpgrade, rawClient } from "../support/raw_client.ts";
import { untilWaiting } from "../support/until_waiting.ts";
import { type QuickClient, quickClient } from "./quick_client.ts";
import { gatewayScene } from "./scene.ts";

const SECOND = 1_000;

/** Seconds of one step of the clock, short enough for the records of gateway and worker. */
const STEP = 10;

/** A scene with a fake clock and a client of `/v1/connect`. */
async function scene(query: string) {
  const clock = createFakeClock();
  const set = await gatewayScene({ grid: { clock } });
  const quick = await quickClient(set, query);
  const { grid, api } = set;
  const { id } = quick.claimed;
  return {
    ...set,
    quick,
    id,
    /** Advances the clock in steps, after each of which gateway and worker report. */
    async pass(seconds: number) {
      for (let left = seconds; left > 0; left -= STEP) {
        clock.advance(Math.min(STEP, left) * SECOND);
        await untilWaiting();
        await api.report(quick.workerId, quick.claimed, "running");
      }
    },
    clock,
    /** Runs the reconciler and returns the reason for which the session is stopped, if it is. */
    async reason(): Promise<string | null> {
      await reconcileOnce(grid);
      return (await grid.sessions.get(id)).stopReason;
    },
    /** Connects another client while the database rejects records of connections, until `recover()`. */
    async joinUnrecorded() {
      const { client: database } = grid.core.db;
      await database.execute(`CREATE TRIGGER refuse BEFORE INSERT
        ON events WHEN NEW.type = 'session.client_connected'
        BEGIN SELECT RAISE(ABORT, 'the database is busy'); END`);
      const client = await rawClient(quick.url);
      await untilWaiting();
      return {
        client,
        recover: () => database.execute("DROP TRIGGER refuse"),
      };
    },
    /** Returns the recorded events of clients and activity. */
    async listEvents(): Promise<readonly string[]> {
      const events = await grid.sessions.events(id, 0, 100);
      return events.map(({ event }) => event)
        .filter((event) => /client|idle|active/.test(event));
    },
    /** Disconnects the client and waits until its end is recorded. */
    async leave({ client }: Pick<QuickClient, "client">, nth: number) {
      client[Symbol.dispose]();
      await waitForEvent(grid, id, { name: "client_disconnected", nth });
    },
  };
}

Deno.test("with keep_alive a session waits for its client, which connects again by the connect URL of its first handshake", async () => {
  await using s = await scene("?keep_alive=30");
  await s.leave(s.quick, 1);
  await s.pass(29);
  assert.equal(await s.reason(), null);
  const again = await rawClient(s.quick.url);
  assert.match(again.head, new RegExp(`browsergrid-session-id: ${s.id}`, "i"));
  await s.pass(60);
  assert.equal(await s.reason(), null, "its client is connected");
  await s.leave({ client: again }, 2);
  await s.pass(30);
  assert.equal(await s.reason(), null, "the time starts again");
  s.clock.advance(1);
  assert.equal(await s.reason(), "its client did not come back within 30 s");
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${s.quick.workerId}/heartbeat`,
    {},
  );
  const [{ session_id, status }] = body.commands;
  assert.deepEqual([session_id, status], [s.id, "completed"]);
});

Deno.test("a keep_alive shorter than the activity interval is exact to the millisecond", async () => {
  await using s = await scene("?keep_alive=1.5");
  await s.pass(8);
  assert.equal(await s.reason(), null);
  await s.leave(s.quick, 1);
  s.clock.advance(1_500);
  assert.equal(await s.reason(), null);
  s.clock.advance(1);
  assert.match(await s.reason() ?? "", /within 1\.5 s/);
});

Deno.test("a session whose client disconnects before it is connected is terminated, also with keep_alive", async () => {
  await using s = await gatewayScene();
  const made = s.grid.core.bus.next(
    ({ type }) => type === "session_created",
    AbortSignal.timeout(10_000),
  );
  const socket = await askUpgrade(
    `${s.grid.url.replace("http", "ws")}/v1/connect?keep_alive=300`,
  );
  const id = (await made)?.subject ?? "";
  socket.destroy();
  const { keepAliveSeconds } = await awaitStatus(s.grid, id, "terminated");
  assert.equal(keepAliveSeconds, 300);
});

Deno.test("keep_alive accepts seconds up to one day", async () => {
  await using s = await gatewayScene();
  for (const text of ["0", "86401", "soon", ""]) {
    using client = await rawClient(
      `${s.grid.url.replace("http", "ws")}/v1/connect?keep_alive=${text}`,
    );
    const { status, detail } = await readProblem(client);
    assert.equal(status, 422, text);
    assert.match(String(detail), /keep_alive: .*expected/);
  }
});

Deno.test("without keep_alive a session ends with its client, or with the client that has taken over", async () => {
  await using s = await scene("?max_connections=1");
  s.quick.client.socket.resume();
  using successor = await rawClient(`${s.quick.url}?takeover=true`);
  await waitForEvent(s.grid, s.id, { name: "client_disconnected" });
  await untilWaiting();
  const readCommand = async () => {
    const { body } = await s.api.call(
      "PUT",
      `/workerpool/workers/${s.quick.workerId}/heartbeat`,
      {},
    );
    return body.commands[0];
  };
  assert.equal(await readCommand(), undefined);
  await s.leave({ client: successor }, 2);
  await untilWaiting();
  const { status, reason } = await readCommand();
  assert.deepEqual([status, reason], ["completed", "its client disconnected"]);
  const events = await s.grid.sessions.events(s.id, 0, 100);
  assert.ok(
    events.every(({ event }) => event !== "session_idle"),
    "the session has ended, it is not idle",
  );
});

Deno.test("a client that connects again to another server keeps its session", async () => {
  await using s = await scene("?keep_alive=25");
  const { clock, grid: { dataDir } } = s;
  await using other = await testGrid({ clock, dataDir, listen: true });
  await s.leave(s.quick, 1);
  await s.pass(20);
  const { pathname } = new URL(s.quick.url);
  const again = await rawClient(other.url.replace("http", "ws") + pathname);
  await s.pass(60);
  assert.equal(await s.reason(), null, "its client is connected");
  await s.leave({ client: again }, 2);
  await s.pass(20);
  assert.equal(await s.reason(), null, "the time starts again");
  await s.pass(6);
  assert.match(await s.reason() ?? "", /within 25 s/);
});

Deno.test("the end of a client whose start could not be recorded does not count for the other client of its session", async () => {
  await using s = await scene("?keep_alive=1&max_connections=2");
  await waitForEvent(s.grid, s.id, { name: "client_connected" });
  const { client, recover } = await s.joinUnrecorded();
  assert.deepEqual(await s.listEvents(), ["client_connected"]);
  await recover();
  await s.leave({ client }, 1);
  s.clock.advance(1_500);
  assert.equal(await s.reason(), null);
  assert.deepEqual(await s.listEvents(), [
    "client_connected",
    "client_connected",
    "client_disconnected",
  ]);
  await s.leave(s.quick, 2);
  await waitForEvent(s.grid, s.id, { name: "session_idle" });
});

Deno.test("a client whose start could not be recorded counts as connected when another client disconnects", async () => {
  await using s = await scene("?keep_alive=1&max_connections=2");
  await waitForEvent(s.grid, s.id, { name: "client_connected" });
  const { client, recover } = await s.joinUnrecorded();
  await recover();
  await s.leave(s.quick, 1);
  s.clock.advance(1_500);
  assert.equal(await s.reason(), null);
  await s.leave({ client }, 2);
  await waitForEvent(s.grid, s.id, { name: "session_idle" });
});

Deno.test("the end of a client is not recorded if its start cannot be recorded", async () => {
  await using s = await scene("?keep_alive=1&max_connections=2");
  await waitForEvent(s.grid, s.id, { name: "client_connected" });
  const { client, recover } = await s.joinUnrecorded();
  const { db } = s.grid.core;
  const before = db.trips();
  client[Symbol.dispose]();
  await eventually(
    "the server tries to record the end of the stream",
    () => Promise.resolve(db.trips() > before),
  );
  await untilWaiting();
  await recover();
  s.clock.advance(1_500);
  assert.equal(await s.reason(), null);
  assert.deepEqual(await s.listEvents(), ["client_connected"]);
  await s.leave(s.quick, 1);
  await waitForEvent(s.grid, s.id, { name: "session_idle" });
});
