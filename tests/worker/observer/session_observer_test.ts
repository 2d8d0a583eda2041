import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../src/async/clock.ts";
import type { Observation } from "../../../src/client/client.ts";
import {
  type MatchedEvent,
  SessionObserver,
} from "../../../src/worker/observer/session_observer.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import {
  type FakeCdp,
  type FakeCdpOptions,
  startFakeCdp,
} from "../../support/fake_cdp.ts";

function observe(
  events: readonly string[],
  fields: Partial<Observation> = {},
): Observation {
  return { webhook_id: "hook", events: [...events], filters: [], ...fields };
}

/** An observer of a browser, with what it has found. */
async function openScene(
  observations: readonly Observation[],
  { clock = systemClock, ...options }:
    & FakeCdpOptions
    & { readonly clock?: Pick<typeof systemClock, "monotonic" | "sleep"> } = {},
) {
  await using stack = new AsyncDisposableStack();
  const cdp = stack.use(await startFakeCdp(options));
  const events: MatchedEvent[] = [];
  const dropped: string[] = [];
  const observer = stack.use(
    new SessionObserver({
      sessionId: "session",
      browser: {
        endpoint: cdp.endpoint,
        ...(options.socketPath === undefined
          ? {}
          : { socketPath: options.socketPath }),
      },
      clock,
      onEvent: (event) => events.push(event),
      onDropped: (id) => dropped.push(id),
    }, observations),
  );
  const owned = stack.move();
  return {
    cdp,
    events,
    dropped,
    observer,
    /** Waits until a command was sent. */
    sent: (method: string, sessionId?: string, count = 1) =>
      eventually(`${method} is sent`, () =>
        Promise.resolve(
          cdp.commands.filter((each) =>
            each.method === method && each.sessionId === sessionId
          ).length >= count,
        )),
    /** Waits until all messages so far have been received: each attached target is answered by a command. */
    async settle() {
      const id = crypto.randomUUID();
      cdp.attach(id);
      await eventually("messages are received", () =>
        Promise.resolve(
          cdp.commands.some(({ sessionId }) => sessionId === id),
        ));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const emit = (cdp: FakeCdp, method: string, params: object = {}) =>
  cdp.emit({ method, params, sessionId: "page" });

Deno.test("an observer attaches to all targets without pausing them, and enables only the domains of its events", async () => {
  await using scene = await openScene([
    observe(["Page.loadEventFired", "Network.responseReceived"]),
    observe(["Browser.downloadWillBegin"]),
  ]);
  await scene.sent("Target.setDiscoverTargets");
  scene.cdp.attach("page");
  await scene.sent("Target.setAutoAttach", "page");
  scene.cdp.attach("frame", "page");
  await scene.sent("Network.enable", "frame");
  const [attach] = scene.cdp.commands;
  assert.deepEqual([attach.method, attach.params], [
    "Target.setAutoAttach",
    { autoAttach: true, waitForDebuggerOnStart: false, flatten: true },
  ]);
  const ofPage = scene.cdp.commands.filter(({ sessionId }) =>
    sessionId === "page"
  );
  assert.deepEqual(ofPage.map(({ method }) => method).toSorted(), [
    "Network.enable",
    "Page.enable",
    "Target.setAutoAttach",
  ]);
});

Deno.test("an event that a webhook selects is found with its target, under the name that was selected, and no other", async () => {
  await using scene = await openScene([
    observe(["Browser.downloadWillBegin", "Network.responseReceived"], {
      filters: [{ path: "params.guid", operator: "eq", value: "g" }],
    }),
  ]);
  await scene.sent("Target.setDiscoverTargets");
  scene.cdp.attach("page");
  scene.cdp.emit({
    method: "Target.targetInfoChanged",
    params: {
      targetInfo: {
        targetId: "target-page",
        type: "page",
        url: "https://example.com/next",
      },
    },
  });
  emit(scene.cdp, "Page.loadEventFired", { guid: "g" });
  emit(scene.cdp, "Network.responseReceived", { guid: "other" });
  emit(scene.cdp, "Page.downloadWillBegin", { guid: "g" });
  scene.cdp.emit({ method: "Page.downloadWillBegin", params: { guid: "g" } });
  scene.cdp.emit({
    method: "Page.downloadWillBegin",
    params: { guid: "g" },
    sessionId: "unknown",
  });
  for (const socket of scene.cdp.sockets) socket.send("no JSON");
  await scene.settle();
  assert.deepEqual(scene.events[0], {
    method: "Browser.downloadWillBegin",
    target: {
      id: "target-page",
      type: "page",
      url: "https://example.com/next",
    },
    params: { guid: "g" },
    webhookId: "hook",
    dropped: 0,
  });
  assert.deepEqual(
    scene.events.map(({ target }) => target.type),
    ["page", "browser"],
  );
});

Deno.test("events of the past, which a domain repeats when it is enabled, are ignored", async () => {
  await using scene = await openScene([observe(["Runtime.consoleAPICalled"])], {
    onCommand({ method, sessionId }, cdp) {
      // The first page exists already.
      if (method === "Target.setAutoAttach" && sessionId === undefined) {
        cdp.attach("old");
      }
      if (method !== "Runtime.enable") return;
      cdp.emit({ method: "Runtime.consoleAPICalled", params: {}, sessionId });
    },
  });
  await scene.sent("Runtime.enable", "old");
  scene.cdp.attach("new");
  await scene.sent("Runtime.enable", "new");
  scene.cdp.emit({
    method: "Runtime.consoleAPICalled",
    params: { later: true },
    sessionId: "old",
  });
  await scene.settle();
  const found = scene.events.map(({ target, params }) => [target.id, params]);
  assert.deepEqual(found.slice(0, 2), [
    ["target-new", {}],
    ["target-old", { later: true }],
  ]);
});

Deno.test("a browser on a unix socket, as of an isolated session, is observed there", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-cdp-" });
  try {
    await using scene = await openScene([observe(["Page.loadEventFired"])], {
      socketPath: join(folder, "cdp.sock"),
    });
    await scene.observer.ready;
    scene.cdp.attach("page");
    emit(scene.cdp, "Page.loadEventFired");
    await scene.settle();
    assert.equal(scene.events.length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("changed webhooks enable and disable domains on the open connection", async () => {
  await using scene = await openScene([observe(["Page.loadEventFired"])]);
  await scene.sent("Target.setDiscoverTargets");
  scene.cdp.attach("page");
  await scene.sent("Page.enable", "page");
  scene.observer.setObservations([observe(["Network.responseReceived"])]);
  await scene.sent("Network.enable", "page");
  await scene.sent("Page.disable", "page");
  await scene.settle();
  emit(scene.cdp, "Page.loadEventFired");
  emit(scene.cdp, "Network.responseReceived");
  await scene.settle();
  assert.deepEqual(
    scene.events.map(({ method }) => method),
    ["Network.responseReceived"],
  );
  assert.equal(scene.cdp.connections(), 1);
});

Deno.test("a flood is dropped with a count, before it is parsed", async () => {
  const clock = createFakeClock();
  await using scene = await openScene([
    observe(["Page.loadEventFired"]),
    observe(["Network.dataReceived"], {
      webhook_id: "filtered",
      filters: [{ path: "params.a", operator: "exists", value: false }],
    }),
  ], { clock });
  await scene.sent("Target.setDiscoverTargets");
  scene.cdp.attach("page");
  for (let n = 0; n < 1_000; n++) emit(scene.cdp, "Page.loadEventFired");
  for (let n = 0; n < 5_000; n++) emit(scene.cdp, "Network.dataReceived");
  await scene.settle();
  const count = (id: string) => [
    scene.events.filter(({ webhookId }) => webhookId === id).length,
    scene.dropped.filter((each) => each === id).length,
  ];
  assert.deepEqual(count("hook"), [40, 960]);
  assert.deepEqual(count("filtered"), [40, 4_960]);
  clock.advance(1_000);
  emit(scene.cdp, "Page.loadEventFired");
  await scene.settle();
  assert.equal(scene.events.at(-1)?.dropped, 960);
});

Deno.test("a lost connection is opened again after a pause, and a disposed observer hangs up", async () => {
  const clock = createFakeClock();
  await using scene = await openScene([observe(["Page.loadEventFired"])], {
    clock,
  });
  await scene.sent("Target.setDiscoverTargets");
  for (const socket of scene.cdp.sockets) socket.terminate();
  await eventually("there is another connection", () => {
    clock.advance(1_000);
    return Promise.resolve(scene.cdp.connections() === 2);
  });
  await scene.sent("Target.setDiscoverTargets", undefined, 2);
  scene.cdp.attach("page");
  emit(scene.cdp, "Page.loadEventFired");
  await eventually(
    "the event is found",
    () => Promise.resolve(scene.events.length === 1),
  );
  await scene.observer[Symbol.asyncDispose]();
  await eventually(
    "the connection is closed",
    () => Promise.resolve(scene.cdp.sockets.size === 0),
  );
  clock.advance(100_000);
  assert.equal(scene.cdp.connections(), 2);
});
