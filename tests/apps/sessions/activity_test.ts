import assert from "node:assert/strict";
import { ActivityStore } from "../../../src/apps/sessions/store/lifecycle/activity.ts";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";

const SECOND = 1_000;

/** Starts a grid with a running session. */
async function scene(keepAliveSeconds?: number) {
  await using stack = new AsyncDisposableStack();
  const clock = createFakeClock();
  const grid = stack.use(await testGrid({ clock }));
  const api = createApiClient(grid);
  await api.pool();
  const { sessions } = grid;
  const { id } = await sessions.create({}, {
    ephemeral: keepAliveSeconds !== undefined,
    keepAliveSeconds,
  });
  const workerId = await api.worker();
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  const endpoint = "ws://127.0.0.1:9/devtools/browser/x";
  await api.report(workerId, claimed, "running", { endpoint });
  const owned = stack.move();
  return {
    sessions,
    clock,
    id,
    store: new ActivityStore(grid.core.db),
    /** Returns the events of its use. */
    async useEvents(): Promise<readonly string[]> {
      const events = await sessions.events(id, 0, 100);
      return events.map(({ event }) => event).filter((event) =>
        event === "session_idle" || event === "session_active"
      );
    },
    end: () =>
      sessions.requestStop(id, {
        status: "terminated",
        reason: "for a test",
        force: true,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("a session stays active while a client of another server is connected, and its keep_alive does not get shorter", async () => {
  await using s = await scene(1);
  const { sessions, clock, id } = s;
  await sessions.activity.recordConnected(id);
  await sessions.activity.recordConnected(id);
  const { clientSeenUntil } = await sessions.get(id);
  assert.equal(clientSeenUntil, clock.now() + 20 * SECOND);
  clock.advance(SECOND);
  await sessions.activity.recordDisconnected(id, {});
  assert.deepEqual(await s.useEvents(), []);
  assert.equal((await sessions.get(id)).clientSeenUntil, clientSeenUntil);
  clock.advance(SECOND);
  await sessions.activity.recordDisconnected(id, {});
  assert.deepEqual(await s.useEvents(), ["session_idle"]);
  const left = await sessions.get(id);
  assert.deepEqual(
    [left.idleSince, left.clientSeenUntil],
    [clock.now(), clock.now() + SECOND],
  );
});

Deno.test("late records change nothing: activity from before the session was idle, a disconnect from before another connect", async () => {
  await using s = await scene();
  const { sessions, store, clock, id } = s;
  const now = clock.now();
  await store.recordConnected(id, now);
  await store.recordDisconnected(id, {}, now + 2 * SECOND);
  await store.recordActivity({ active: [id], clientsSeen: [] }, now + SECOND);
  assert.equal((await sessions.get(id)).idleSince, now + 2 * SECOND);
  await store.recordConnected(id, now + 5 * SECOND);
  await store.recordDisconnected(id, {}, now + 4 * SECOND);
  assert.deepEqual(await s.useEvents(), ["session_idle", "session_active"]);
  const { idleSince, lastActivityAt } = await sessions.get(id);
  assert.deepEqual([idleSince, lastActivityAt], [null, now + 5 * SECOND]);
});

Deno.test("each change between idle and active is recorded once, however many servers notice it", async () => {
  await using s = await scene();
  const { sessions, clock, id } = s;
  const servers = Array.from({ length: 3 });
  clock.advance(30 * SECOND);
  assert.equal(await sessions.deadlines.markIdle(), 0);
  clock.advance(1);
  const counts = await Promise.all(
    servers.map(() => sessions.deadlines.markIdle()),
  );
  assert.deepEqual(counts.sort(), [0, 0, 1]);
  const [idle] = (await sessions.events(id, 0, 100)).slice(-1);
  assert.deepEqual(idle?.data, {
    why: "no client",
    since: new Date(clock.now() - 30 * SECOND - 1).toISOString(),
    idle_seconds: 30.001,
  });
  clock.advance(SECOND);
  const activity = { active: [id], clientsSeen: [] };
  await Promise.all(
    servers.map(() => sessions.activity.recordActivity(activity)),
  );
  assert.deepEqual(await s.useEvents(), ["session_idle", "session_active"]);
});

Deno.test("a session that has ended is not idle and does not become idle", async () => {
  await using s = await scene();
  const { sessions, clock, id } = s;
  await sessions.activity.recordConnected(id);
  await sessions.activity.recordDisconnected(id, {});
  await s.end();
  assert.equal((await sessions.get(id)).idleSince, null);
  await sessions.activity.recordDisconnected(id, {});
  clock.advance(60 * SECOND);
  assert.equal(await sessions.deadlines.markIdle(), 0);
  await sessions.activity.recordActivity({ active: [id], clientsSeen: [] });
  assert.deepEqual(await s.useEvents(), ["session_idle"]);
});
