import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { fakePage, RESULTS, type Results } from "../../support/fake_page.ts";
import { testGrid } from "../../support/grid.ts";
import { type GatewayScene, gatewayScene } from "../scene.ts";

const TARGETS = JSON.stringify([
  { id: "WORKER", type: "worker", url: "https://shop.example/account" },
  { id: "PAGE", type: "page", url: "https://shop.example/login?next=account" },
]);

interface ConditionScene extends GatewayScene {
  /** Requests a hand-over with a condition. */
  request(until: object): Promise<void>;
  /** Returns the request, once it is as `isExpected` says. */
  read(
    isExpected: (handover: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>>;
}

/** Starts a session with one page, which answers commands with `results`. */
async function conditionScene(
  results: Results = RESULTS,
): Promise<ConditionScene> {
  const scene = await gatewayScene({
    upstream: { page: fakePage(results), targets: TARGETS },
  });
  const path = `/sessions/${scene.sessionId}/handover`;
  return {
    ...scene,
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
    async request(until) {
      const body = { reason: "sign in", until };
      const { status, text } = await scene.api.call("POST", path, body);
      assert.equal(status, 201, text);
    },
    read: (isExpected) =>
      eventually("the hand-over is as expected", async () => {
        const { body } = await scene.api.call("GET", path);
        return isExpected(body) ? body : undefined;
      }),
  };
}

const hasEnded = ({ status }: Record<string, unknown>) => status !== "open";

Deno.test("a hand-over ends when a page has a URL, without a client, a connection or activity of the session", async () => {
  await using s = await conditionScene();
  const path = `/sessions/${s.sessionId}`;
  await s.request({ url: "https://shop.example/login*" });
  const { status, resolved_by } = await s.read(hasEnded);
  assert.deepEqual([status, resolved_by], ["condition_met", null]);
  const { body } = await s.api.call("GET", `${path}/events`);
  const items: { event: string }[] = body.items;
  assert.deepEqual(
    items.map(({ event }) => event).filter((each) =>
      /client|active/.test(each)
    ),
    [],
  );
  const { rows } = await s.grid.core.db.client.execute(
    "SELECT last_activity_at FROM sessions",
  );
  assert.equal(rows[0]?.last_activity_at, null);
});

Deno.test("a URL counts for pages only", async () => {
  await using s = await conditionScene();
  await s.request({ url: "https://shop.example/account" });
  const asked = s.upstream.asked.length;
  await eventually("it is checked twice", () =>
    Promise.resolve(
      s.upstream.asked.slice(asked).filter((each) =>
            each.endsWith("/json/list")
          ).length >= 2 || undefined,
    ));
  assert.equal((await s.read(() => true)).status, "open");
});

Deno.test("a hand-over ends when a page has an element, which is searched without a script", async () => {
  const results: Record<string, unknown> = {
    ...RESULTS,
    "Runtime.evaluate": undefined,
    "DOM.querySelector": { nodeId: 0 },
  };
  await using s = await conditionScene(results);
  await s.request({ selector: "#done", url: "*" });
  const countSearches = () =>
    s.upstream.asked.filter((each) => each.includes("/devtools/page/")).length;
  await eventually(
    "it is searched",
    () => Promise.resolve(countSearches() > 0 || undefined),
  );
  assert.equal((await s.read(() => true)).status, "open");
  results["DOM.querySelector"] = { nodeId: 7 };
  assert.equal((await s.read(hasEnded)).status, "condition_met");
  const searches = countSearches();
  assert.equal((await s.read(hasEnded)).status, "condition_met");
  assert.equal(countSearches(), searches);
});

Deno.test("a condition that the browser cannot check says why, and the request stays open", async () => {
  await using s = await gatewayScene({
    upstream: {
      targets: TARGETS,
      page: (socket) =>
        socket.on("message", (data) => {
          const { id, method } = JSON.parse(String(data));
          const answer = method === "DOM.getDocument"
            ? { result: { root: { nodeId: 1 } } }
            : { error: { code: -32000, message: "DOM Error while querying" } };
          socket.send(JSON.stringify({ id, ...answer }));
        }),
    },
  });
  const path = `/sessions/${s.sessionId}/handover`;
  const until = { selector: "##" };
  await s.api.call("POST", path, { reason: "sign in", until });
  const found = await eventually("it says why", async () => {
    const { body } = await s.api.call("GET", path);
    return body.until_error === null ? undefined : body;
  });
  assert.match(found.until_error, /selector/);
  assert.equal(found.status, "open");
});

Deno.test("one server checks a condition; another one takes over when it no longer renews its lease", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const { handovers } = grid;
  assert.ok(handovers);
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const unchecked: string[] = [];
  using _subscription = grid.core.bus.subscribe(({ type }) => {
    if (type === "handover_unchecked") unchecked.push(type);
  });
  const body = { reason: "sign in", until: { url: "*" } };
  await api.call("POST", `/sessions/${id}/handover`, body);
  unchecked.length = 0;
  const lease = async (server: string) =>
    (await handovers.leaseConditions(server, 10_000)).length;
  assert.deepEqual([await lease("a"), await lease("b")], [1, 0]);
  clock.advance(9_000);
  assert.deepEqual([await lease("a"), await lease("b")], [1, 0]);
  await handovers.resolveDue();
  assert.deepEqual(unchecked, []);
  clock.advance(10_500);
  await handovers.resolveDue();
  assert.deepEqual(unchecked, ["handover_unchecked"]);
  assert.deepEqual([await lease("b"), await lease("a")], [1, 0]);
  await handovers.releaseConditions("b");
  assert.deepEqual([await lease("a"), await lease("b")], [1, 0]);
  await api.call("DELETE", `/sessions/${id}/handover`);
  assert.deepEqual([await lease("a"), await lease("b")], [0, 0]);
});
