/**
 * Observers of a real worker and server: when there is one, what it costs the session, and when it ends.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { eventually } from "../../support/eventually.ts";
import { type FakeCdp, startFakeCdp } from "../../support/fake_cdp.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
} from "../../support/webhook_receiver.ts";
import { workerScene } from "../../support/worker.ts";

/** A worker whose browsers are `cdp`. */
async function openScene() {
  await using stack = new AsyncDisposableStack();
  const cdp = stack.use(await startFakeCdp());
  const receiver = stack.use(await startReceiver());
  const scene = stack.use(
    await workerScene({
      settings: { ...RECEIVER_SETTINGS, heartbeat_seconds: 1 },
    }),
  );
  scene.provider.knobs.endpoint = cdp.endpoint;
  const worker = stack.use(await scene.start());
  const api = createApiClient(scene.grid);
  const owned = stack.move();
  return {
    api,
    cdp,
    receiver,
    scene,
    worker,
    /** Starts a session. */
    async run(fields = {}) {
      const { body } = await api.call("POST", "/sessions?wait=20", fields);
      assert.equal(body.status, "running");
      return body;
    },
    /** Creates a webhook for the load of pages. */
    async hook(fields = {}) {
      const { status, body, text } = await api.call("POST", "/webhooks", {
        name: "a",
        url: receiver.url,
        event_pattern: "cdp:Page.loadEventFired",
        ...fields,
      });
      assert.equal(status, 201, text);
      return body;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function waitForConnections(cdp: FakeCdp, count: number): Promise<void> {
  await eventually(
    `${count} connections`,
    () => Promise.resolve(cdp.sockets.size === count),
  );
}

/** Waits until the page has its domain enabled, and reports an event of it. */
async function load(cdp: FakeCdp, count = 1): Promise<void> {
  await eventually("the observer has started", () =>
    Promise.resolve(
      cdp.commands.some(({ method }) => method === "Target.setDiscoverTargets"),
    ));
  cdp.attach("page");
  for (let n = 0; n < count; n++) {
    cdp.emit({
      method: "Page.loadEventFired",
      params: { timestamp: n },
      sessionId: "page",
    });
  }
}

Deno.test("a session without a webhook for browser events has no observer, neither has one that wants no webhooks", async () => {
  await using scene = await openScene();
  await scene.hook({ event_pattern: "session.*" });
  await scene.run();
  await scene.hook({ labels: { team: "a" } });
  await scene.run({ labels: { team: "a" }, webhooks_enabled: false });
  await scene.run({ labels: { team: "b" } });
  // One with an observer shows that the others would have theirs by now.
  await scene.run({ labels: { team: "a" } });
  await waitForConnections(scene.cdp, 1);
  await load(scene.cdp);
  await scene.receiver.waitFor(1);
  assert.equal(scene.cdp.connections(), 1);
});

Deno.test("an observer delivers events, is no client and no activity, and ends with its session", async () => {
  await using scene = await openScene();
  await scene.hook();
  const session = await scene.run();
  const readActivity = async () => {
    const { rows } = await scene.scene.grid.core.db.client.execute(
      "SELECT last_activity_at, attended_until, idle_since FROM sessions",
    );
    return rows.map((row) => ({ ...row }));
  };
  const before = await readActivity();
  await load(scene.cdp, 3);
  await eventually("the events arrive", () =>
    Promise.resolve(
      scene.receiver.received.filter(({ path }) => path === "/hook").length >=
        3,
    ));
  const bodies = scene.receiver.received.map(({ body }) => body);
  assert.deepEqual(
    bodies.map(({ type, data }) => [type, data.event.params.timestamp]),
    [0, 1, 2].map((n) => ["cdp:Page.loadEventFired", n]),
  );
  assert.equal(bodies[0].data.session.id, session.id);
  assert.deepEqual(await readActivity(), before);
  const { rows } = await scene.scene.grid.core.db.client.execute(
    "SELECT count(*) AS count FROM events WHERE type LIKE 'cdp%'",
  );
  assert.equal(rows[0]?.count, 0);
  await scene.api.call("DELETE", `/sessions/${session.id}`);
  await waitForConnections(scene.cdp, 0);
});

Deno.test("a webhook that is created, changed or deleted while a session runs opens, changes and closes its observer", async () => {
  await using scene = await openScene();
  await scene.run();
  const { id } = await scene.hook();
  await waitForConnections(scene.cdp, 1);
  await load(scene.cdp);
  await scene.receiver.waitFor(1);
  await scene.api.call("PATCH", `/webhooks/${id}`, {
    event_pattern: "cdp:Network.responseReceived",
  });
  await eventually("the domain is enabled", () =>
    Promise.resolve(
      scene.cdp.commands.some(({ method }) => method === "Network.enable"),
    ));
  await scene.api.call("DELETE", `/webhooks/${id}`);
  await waitForConnections(scene.cdp, 0);
  assert.equal(scene.cdp.connections(), 1);
});

Deno.test("a flood is delivered at the rate of its webhook, and the rest is counted on it", async () => {
  await using scene = await openScene();
  const { id } = await scene.hook();
  await scene.run();
  await load(scene.cdp, 2_000);
  const dropped = await eventually("the count is there", async () => {
    const { body } = await scene.api.call("GET", `/webhooks/${id}`);
    return body.dropped_events >= 1_500 && body.dropped_events;
  });
  assert.ok(dropped <= 1_960, `${dropped}`);
});

Deno.test("a crash of the browser and a worker that leaves end the observer", async () => {
  await using scene = await openScene();
  await scene.hook();
  const { id } = await scene.run();
  await waitForConnections(scene.cdp, 1);
  scene.scene.provider.running.get(id)?.die("it crashed");
  await waitForConnections(scene.cdp, 0);
  await scene.run();
  await waitForConnections(scene.cdp, 1);
  await scene.worker[Symbol.asyncDispose]();
  await waitForConnections(scene.cdp, 0);
});
