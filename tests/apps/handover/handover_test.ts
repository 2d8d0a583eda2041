import assert from "node:assert/strict";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";

const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

const TYPES = [
  "handover_requested",
  "handover_resolved",
  "control_changed",
];

interface Running {
  readonly api: Api;
  readonly id: string;
  /** Path of the session's hand-over. */
  readonly path: string;
  /** Ends the session as its worker does. */
  readonly end: () => Promise<unknown>;
  /** Requests a hand-over, and returns it. */
  readonly request: (
    fields?: Readonly<Record<string, unknown>>,
  ) => Promise<Record<string, unknown>>;
}

/** Returns a running session of a grid. */
async function running(grid: TestGrid): Promise<Running> {
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const { id } = claimed;
  const path = `/sessions/${id}/handover`;
  return {
    api,
    id,
    path,
    end: () => api.report(workerId, claimed, "crashed"),
    async request(fields = {}) {
      const body = { reason: "Please sign in", ...fields };
      const answer = await api.call("POST", path, body);
      assert.equal(answer.status, 201, answer.text);
      return answer.body;
    },
  };
}

async function readControl({ api, id }: Running): Promise<string> {
  return (await api.call("GET", `/sessions/${id}`)).body.control;
}

/** Returns the events of hand-overs of the session: names with what tells them apart. */
async function readEvents({ api, id }: Running): Promise<readonly string[]> {
  const { body } = await api.call("GET", `/sessions/${id}/events`);
  const items: { event: string; data: Record<string, string> }[] = body.items;
  return items.filter(({ event }) => TYPES.includes(event)).map((
    { event, data },
  ) => [event, data.result ?? data.control].filter(Boolean).join(" "));
}

const REQUESTED = ["handover_requested", "control_changed human"];

Deno.test("a request gives control to a person, and its end gives it back, with an event for each change", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  assert.equal(await readControl(s), "client");
  const requested = await s.request({ hold: true, until: { url: "*/home" } });
  assert.deepEqual(
    [requested.status, requested.hold, requested.until, requested.resolved_at],
    ["open", true, { url: "*/home", selector: null }, null],
  );
  assert.equal(await readControl(s), "human");
  assert.deepEqual(await readEvents(s), REQUESTED);
  const finished = await s.api.call("POST", `${s.path}/finish`, {
    note: "Signed in",
  });
  assert.equal(finished.status, 200, finished.text);
  const { id, status, note, resolved_by } = finished.body;
  assert.deepEqual(
    [id, status, note, resolved_by],
    [requested.id, "done", "Signed in", "anonymous"],
  );
  assert.equal(await readControl(s), "client");
  assert.deepEqual(await readEvents(s), [
    ...REQUESTED,
    "handover_resolved done",
    "control_changed client",
  ]);
  const { body } = await s.api.call("GET", s.path);
  assert.deepEqual(body, finished.body);
});

Deno.test("a note of the person is in no event", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  await s.request();
  await s.api.call("POST", `${s.path}/finish`, { note: "pin 4711" });
  const { text } = await s.api.call("GET", "/events");
  assert.match(text, /session\.handover_resolved/);
  assert.doesNotMatch(text, /4711/);
});

Deno.test("a request is declined by the person, or cancelled by its client", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  await s.request();
  const { body: declined } = await s.api.call("POST", `${s.path}/finish`, {
    result: "declined",
  });
  assert.equal(declined.status, "declined");
  await s.request();
  const { body: cancelled } = await s.api.call("DELETE", s.path);
  assert.equal(cancelled.status, "cancelled");
  assert.equal(await readControl(s), "client");
});

Deno.test("a request ends at its timeout, which no server extends, and not before", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const s = await running(grid);
  await s.request({ timeout_seconds: 10 });
  clock.advance(9_900);
  assert.equal((await reconcileOnce(grid)).counts.handovers, 0);
  clock.advance(200);
  assert.equal((await reconcileOnce(grid)).counts.handovers, 1);
  assert.equal((await reconcileOnce(grid)).counts.handovers, 0);
  const { body } = await s.api.call("GET", s.path);
  assert.deepEqual([body.status, body.resolved_by], ["timed_out", null]);
  assert.deepEqual((await readEvents(s)).slice(2), [
    "handover_resolved timed_out",
    "control_changed client",
  ]);
});

Deno.test("a request expires with its session at the latest", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  const { body } = await s.api.call("GET", `/sessions/${s.id}`);
  const { expires_at } = await s.request({ timeout_seconds: 600_000 });
  assert.equal(expires_at, body.expires_at);
});

Deno.test("the end of a session ends its request, whatever ends the session", async () => {
  await using grid = await testGrid();
  const ends: readonly ((s: Running) => Promise<unknown>)[] = [
    ({ end }) => end(),
    ({ api, id }) => api.call("DELETE", `/sessions/${id}?force=true`),
  ];
  for (const [at, end] of ends.entries()) {
    const api = createApiClient(grid);
    if (at > 0) await api.call("DELETE", "/workerpool/pools/pool?force=true");
    const s = await running(grid);
    await s.request();
    await end(s);
    const { body } = await s.api.call("GET", s.path);
    assert.equal(body.status, "session_ended");
    assert.equal(await readControl(s), "client");
    assert.deepEqual((await readEvents(s)).slice(2), [
      "handover_resolved session_ended",
      "control_changed client",
    ]);
    const again = await s.api.call("POST", s.path, { reason: "again" });
    assertRefused(again, { status: 410, code: "session_ended" });
  }
});

Deno.test("a session has one open request: a second one is rejected with its id", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  const answers = await Promise.all(
    Array.from(
      { length: 5 },
      () => s.api.call("POST", s.path, { reason: "sign in" }),
    ),
  );
  const stored = answers.filter(({ status }) => status === 201);
  assert.equal(stored.length, 1);
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    assertRefused(answer, { status: 409, code: "handover_open" });
    assert.equal(answer.body.handover_id, stored[0]?.body.id);
  }
  assert.deepEqual(await readEvents(s), REQUESTED);
});

Deno.test("of several ends of one request exactly one wins", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const s = await running(grid);
  for (let round = 0; round < 5; round++) {
    const { id } = await s.request({ timeout_seconds: 1 });
    clock.advance(1_500);
    const [done, cancelled, passed] = await Promise.all([
      s.api.call("POST", `${s.path}/finish`),
      s.api.call("DELETE", s.path),
      reconcileOnce(grid),
    ]);
    const wins = [
      done.status === 200,
      cancelled.status === 200,
      passed.counts.handovers === 1,
    ];
    assert.equal(wins.filter(Boolean).length, 1, JSON.stringify(wins));
    const { body } = await s.api.call("GET", s.path);
    const results = ["done", "cancelled", "timed_out"];
    const [expected] = results.filter((_, at) => wins[at]);
    assert.deepEqual([body.id, body.status], [id, expected]);
    assert.deepEqual((await readEvents(s)).slice(4 * round), [
      ...REQUESTED,
      `handover_resolved ${expected}`,
      "control_changed client",
    ]);
  }
});

Deno.test("a session that does not run, or has no request, is rejected with a code of its own", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const path = `/sessions/${id}/handover`;
  const pending = await api.call("POST", path, { reason: "a" });
  assertRefused(pending, { status: 409, code: "session_not_running" });
  const none = await api.call("GET", path);
  assertRefused(none, { status: 404, code: "handover_not_found" });
  for (const [method, each] of [["DELETE", path], ["POST", `${path}/finish`]]) {
    const answer = await api.call(method ?? "", each ?? "");
    assertRefused(answer, { status: 409, code: "handover_not_open" });
  }
  for (const [method, json] of [["GET"], ["POST", { reason: "a" }]]) {
    const other = `/sessions/${UNKNOWN}/handover`;
    const answer = await api.call(String(method), other, json);
    assertRefused(answer, { status: 404, code: "session_not_found" });
  }
});

Deno.test("a request needs a reason, and a condition that can be met", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  const bodies = [
    {},
    { reason: "" },
    { reason: "x".repeat(501) },
    { reason: "a", until: {} },
    { reason: "a", until: { url: "" } },
    { reason: "a", timeout_seconds: 0 },
    { reason: "a", timeout: 10 },
  ];
  for (const body of bodies) {
    const answer = await s.api.call("POST", s.path, body);
    assertRefused(answer, { status: 422, code: "invalid_request" }, /./);
  }
  assert.equal(await readControl(s), "client");
});

Deno.test("a client hands over its own sessions only; an admin any", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const owner = await grid.asNew();
  const other = await grid.asNew();
  const { id } = await owner.session();
  const worker = await grid.admin.worker();
  const claimed = await grid.admin.claim(worker);
  assert.ok(claimed);
  await grid.admin.report(worker, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  const path = `/sessions/${id}/handover`;
  const calls: readonly (readonly [string, string, unknown?])[] = [
    ["POST", path, { reason: "sign in" }],
    ["GET", path],
    ["POST", `${path}/finish`],
    ["DELETE", path],
  ];
  const requested = await owner.call("POST", path, { reason: "sign in" });
  assert.equal(requested.status, 201, requested.text);
  for (const [method, each, json] of calls) {
    const answer = await other.call(method, each, json);
    assertRefused(answer, { status: 404, code: "session_not_found" });
  }
  assert.equal((await owner.call("GET", path)).body.status, "open");
  const finished = await grid.admin.call("POST", `${path}/finish`);
  assert.equal(finished.body.resolved_by, "bootstrap");
});

Deno.test("a session keeps its last requests only", async () => {
  await using grid = await testGrid();
  const s = await running(grid);
  for (let at = 0; at < 25; at++) {
    await s.request();
    await s.api.call("DELETE", s.path);
  }
  const { rows } = await grid.core.db.client.execute(
    "SELECT count(*) AS count FROM handovers",
  );
  assert.equal(rows[0]?.count, 21);
});
