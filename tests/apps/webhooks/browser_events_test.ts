/**
 * Webhooks for browser events: their fields, what workers observe for them, and the events that workers send.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MAX_WAITING } from "../../../src/apps/webhooks/store/browser_events.ts";
import type { ClaimedSession } from "../../../src/apps/sessions/schemas/leases.ts";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { newProof } from "../../support/worker_proofs.ts";
import { proofHeaders } from "../../../src/core/worker_proof.ts";

const fields = { name: "a", url: "https://hooks.example/x" };
const LOAD = { ...fields, event_pattern: "cdp:Page.loadEventFired" };
const STATUS = {
  path: "params.response.status",
  operator: "ge",
  value: 500,
};

interface Sender {
  readonly workerId: string;
  readonly claimed: Pick<ClaimedSession, "id" | "fencing_token">;
}

/** Sends events of a session for a webhook. */
async function send(
  api: Api,
  { workerId, claimed }: Sender,
  webhookId: string,
  events: readonly object[],
  rest: object = {},
) {
  return await api.call(
    "POST",
    `/workerpool/workers/${workerId}/browser-events`,
    {
      events: events.map((each) => ({
        id: crypto.randomUUID(),
        webhook_id: webhookId,
        session_id: claimed.id,
        fencing_token: claimed.fencing_token,
        method: "Page.loadEventFired",
        age_ms: 5,
        target: { id: "t", type: "page", url: "https://example.com/" },
        params: { timestamp: 1 },
        ...each,
      })),
      ...rest,
    },
  );
}

Deno.test("browser events, filters and templates are accepted in one form each, and all others are rejected", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { status, body } = await api.call("POST", "/webhooks", {
    ...fields,
    event_pattern: "cdp:Network.responseReceived,cdp:Page.loadEventFired",
    filters: [STATUS, {
      path: "target.url",
      operator: "glob",
      value: "https://*.example/*",
    }],
  });
  assert.equal(status, 201);
  assert.equal(body.filters.length, 2);
  assert.equal(body.dropped_events, 0);
  const browser = { event_pattern: "cdp:Page.loadEventFired" };
  const filter = (changes: object) => ({
    ...browser,
    filters: [{ ...STATUS, ...changes }],
  });
  const rejected = "webhook_events_rejected";
  const invalid = "invalid_request";
  const cases: readonly (readonly [object, string])[] = [
    [{ event_pattern: "cdp:Fetch.requestPaused" }, rejected],
    [{ event_pattern: "cdp:Page.x,cdp:Debugger.paused" }, rejected],
    [{ event_pattern: "session.*", filters: [STATUS] }, rejected],
    [{}, rejected],
    [{ ...browser, template: "navigation" }, rejected],
    [{ ...browser, queue_longer_than: 1 }, rejected],
    [{ template: "queue_longer_than" }, rejected],
    [{ event_pattern: "pool.queue_long" }, rejected],
    [{ template: "none" }, invalid],
    [{ event_pattern: "cdp:*" }, invalid],
    [{ event_pattern: "cdp:Page.*" }, invalid],
    [{ event_pattern: "cdp:page.load" }, invalid],
    [{ event_pattern: "cdp:Page.a,session.running" }, invalid],
    [
      { event_pattern: Array(11).fill("cdp:Page.a").join(",") },
      invalid,
    ],
    [filter({ path: "response.status" }), invalid],
    [filter({ path: `params${".a".repeat(11)}` }), invalid],
    [filter({ path: "params.a..b" }), invalid],
    [filter({ operator: "matches" }), invalid],
    [filter({ value: "500" }), invalid],
    [filter({ operator: "glob", value: "*".repeat(201) }), invalid],
    [filter({ operator: "exists" }), invalid],
    [filter({ other: 1 }), invalid],
    [{ ...browser, filters: Array(11).fill(STATUS) }, invalid],
  ];
  for (const [change, code] of cases) {
    const answer = await api.call("POST", "/webhooks", {
      ...fields,
      ...change,
    });
    assertRefused(answer, { status: 422, code }, /expected|Known are/);
  }
});

Deno.test("a template sets event_pattern and filters, and a change is checked together with the stored fields", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const templates = [
    "failing_responses",
    "console_errors",
    "uncaught_exceptions",
    "downloads",
    "navigation",
    "session_crashed",
  ];
  for (const template of templates) {
    const { status, body, text } = await api.call("POST", "/webhooks", {
      ...fields,
      template,
    });
    assert.equal(status, 201, text);
    assert.match(body.event_pattern, /^(cdp:[A-Z]|session\.crashed$)/);
    assert.equal(body.template, undefined);
  }
  const { body } = await api.call("POST", "/webhooks", {
    ...fields,
    template: "failing_responses",
    filters: [{ path: "target.type", operator: "eq", value: "page" }],
  });
  assert.equal(body.filters.length, 2);
  const path = `/webhooks/${body.id}`;
  assertRefused(
    await api.call("PATCH", path, { event_pattern: "session.*" }),
    { status: 422, code: "webhook_events_rejected" },
  );
  const patched = await api.call("PATCH", path, {
    event_pattern: "session.*",
    filters: [],
  });
  assert.equal(patched.status, 200);
  assertRefused(await api.call("PATCH", path, { filters: [STATUS] }), {
    status: 422,
    code: "webhook_events_rejected",
  });
});

Deno.test("a claim and a heartbeat contain what is observed for the session's webhooks, and nothing without one", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const workerId = await api.worker({ capacity: 5 });
  const heartbeat = async (sessions: readonly object[]) =>
    (await api.call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {
      sessions,
    })).body.observed;
  await api.session();
  const plain = await api.claim(workerId);
  assert.ok(plain);
  assert.equal(plain.observations, undefined);
  const report = ({ id, fencing_token }: ClaimedSession) => ({
    session_id: id,
    fencing_token,
    status: "starting",
  });
  assert.equal(await heartbeat([report(plain)]), undefined);

  const { body: hook } = await api.call("POST", "/webhooks", {
    ...fields,
    event_pattern: "cdp:Page.loadEventFired,cdp:Network.responseReceived",
    filters: [STATUS],
    labels: { team: "a" },
  });
  await api.session({ labels: { team: "a" } });
  const observed = await api.claim(workerId);
  assert.ok(observed);
  const observations = [{
    webhook_id: hook.id,
    events: ["Page.loadEventFired", "Network.responseReceived"],
    filters: [STATUS],
  }];
  assert.deepEqual(observed.observations, observations);
  const expected = [{ session_id: observed.id, observations }];
  const reports = [report(plain), report(observed)];
  assert.deepEqual(await heartbeat(reports), expected);

  await api.session({ labels: { team: "a" }, webhooks_enabled: false });
  const quiet = await api.claim(workerId);
  assert.equal(quiet?.observations, undefined);
  assert.deepEqual(await heartbeat(reports), expected);

  await api.call("PATCH", `/webhooks/${hook.id}`, { active: false });
  assert.equal(await heartbeat(reports), undefined);
});

Deno.test("a client's webhook observes the sessions of its own key only, while the key is valid", async () => {
  await using grid = await keyedGrid();
  const [one, other] = [await grid.asNew(), await grid.asNew()];
  await grid.admin.pool();
  const workerId = await grid.admin.worker({ capacity: 5 });
  const { body: hook } = await one.call("POST", "/webhooks", LOAD);
  await other.session();
  assert.equal((await grid.admin.claim(workerId))?.observations, undefined);
  await one.session();
  const claimed = await grid.admin.claim(workerId);
  assert.equal(claimed?.observations?.[0]?.webhook_id, hook.id);
  assert.ok(claimed);
  const sent = await send(grid.admin, { workerId, claimed }, hook.id, [{}]);
  assert.deepEqual(sent.body, { accepted: 1 });
});

Deno.test("browser events become deliveries in order, once for each id, with session, target, method and parameters", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { body: hook } = await api.call("POST", "/webhooks", LOAD);
  const running = await api.running({ labels: { team: "a" } });
  const events = [{ id: "one" }, { id: "two", dropped: 3 }];
  const dropped = [{
    webhook_id: hook.id,
    session_id: running.claimed.id,
    fencing_token: running.claimed.fencing_token,
    count: 3,
  }];
  const first = await send(api, running, hook.id, events, { dropped });
  assert.deepEqual(first.body, { accepted: 2 }, first.text);
  const again = await send(api, running, hook.id, [...events, { id: "three" }]);
  assert.deepEqual(again.body, { accepted: 1 });
  const { rows } = await grid.core.db.client.execute(
    "SELECT message_id, type, data, due_at IS NULL AS waits FROM webhook_deliveries ORDER BY id",
  );
  assert.deepEqual(
    rows.map(({ message_id, type, waits }) => [message_id, type, waits]),
    [
      ["cdp_one", "cdp:Page.loadEventFired", 0],
      ["cdp_two", "cdp:Page.loadEventFired", 1],
      ["cdp_three", "cdp:Page.loadEventFired", 1],
    ],
  );
  const data = JSON.parse(String(rows[1]?.data));
  assert.deepEqual(data, {
    session: {
      id: running.claimed.id,
      status: "running",
      pool: "pool",
      labels: { team: "a" },
      reason: null,
    },
    target: { id: "t", type: "page", url: "https://example.com/" },
    event: {
      id: "cdp_two",
      method: "Page.loadEventFired",
      params: { timestamp: 1 },
      truncated: false,
      dropped: 3,
    },
  });
  const { body } = await api.call("GET", `/webhooks/${hook.id}`);
  assert.equal(body.dropped_events, 3);
  const { rows: recorded } = await grid.core.db.client.execute(
    "SELECT count(*) AS count FROM events WHERE type LIKE 'cdp%'",
  );
  assert.equal(recorded[0]?.count, 0);
});

Deno.test("browser events of other workers, leases, webhooks and methods are not delivered", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { body: hook } = await api.call("POST", "/webhooks", LOAD);
  const running = await api.running();
  const { claimed } = running;
  const other = { claimed, workerId: await api.worker({ name: "other" }) };
  const stale = { ...running, claimed: { ...claimed, fencing_token: 7 } };
  const grids = await api.call("POST", "/webhooks", {
    ...fields,
    event_pattern: "*",
  });
  const answers = [
    await send(api, other, hook.id, [{}]),
    await send(api, stale, hook.id, [{}]),
    await send(api, running, crypto.randomUUID(), [{}]),
    await send(api, running, grids.body.id, [{}]),
    await send(api, running, hook.id, [{ method: "Page.frameNavigated" }]),
  ];
  await api.call("PATCH", `/webhooks/${hook.id}`, { active: false });
  answers.push(await send(api, running, hook.id, [{}]));
  assert.deepEqual(
    answers.map(({ body }) => body),
    answers.map(() => ({ accepted: 0 })),
  );
  const forged = await grid.request(
    `/v1/workerpool/workers/${running.workerId}/browser-events`,
    {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...proofHeaders(newProof()),
      },
      body: "{}",
    },
  );
  assert.equal((await forged.json()).code, "unauthorized");
});

Deno.test("browser events beyond the limit of waiting deliveries are dropped and counted", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { body: hook } = await api.call("POST", "/webhooks", LOAD);
  const running = await api.running();
  for (let sent = 0; sent < MAX_WAITING; sent += 100) {
    await send(api, running, hook.id, Array(100).fill({}));
  }
  const { body } = await send(api, running, hook.id, [{}, {}]);
  assert.deepEqual(body, { accepted: 0 });
  const got = await api.call("GET", `/webhooks/${hook.id}`);
  assert.equal(got.body.dropped_events, 2);
});

Deno.test("too many events, long parameters and unstorable text are rejected", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { body: hook } = await api.call("POST", "/webhooks", LOAD);
  const running = await api.running();
  const wrong: readonly (readonly object[])[] = [
    Array(101).fill({}),
    [{ params: { text: "x".repeat(17_000) } }],
    [{ params: { text: "a\0b" } }],
    [{ method: "session.running" }],
    [{ id: "a b" }],
    [{ age_ms: -1 }],
  ];
  for (const events of wrong) {
    assertRefused(await send(api, running, hook.id, events), {
      status: 422,
      code: "invalid_request",
    });
  }
});
