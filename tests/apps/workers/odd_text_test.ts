import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const WORKERS = "/workerpool/workers";

/** Text that was cut within an emoji and contains NUL. */
const CUT = "cut \ud83d and \0 more \ude00";

/** The text as responses contain it. */
const KEPT = "cut \ufffd and \ufffd more \ufffd";

Deno.test("a worker's text that was cut within an emoji is accepted and returned well-formed", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const report = (status: "running" | "crashed", fields = {}) =>
    api.report(workerId, claimed, status, fields);
  const progress = [CUT, `${CUT} again`];
  assert.equal(await report("running", { progress }), "accepted");
  assert.equal(await report("running", { progress }), "accepted");
  const path = `/sessions/${claimed.id}`;
  const sent = await api.call("POST", `${path}/events`, {
    fencing_token: claimed.fencing_token,
    event: "session_progress",
    data: { message: CUT, [CUT]: [CUT] },
  });
  assert.equal(sent.status, 204);
  const crash = {
    status_reason: CUT,
    logs: CUT,
    container_id: CUT,
    details: { [CUT]: CUT },
  };
  assert.equal(await report("crashed", crash), "accepted");
  const { body } = await api.call("GET", `${path}?include=events`);
  assert.equal(body.status, "crashed");
  assert.equal(body.status_reason, KEPT);
  assert.equal(body.container_id, KEPT);
  assert.deepEqual(body.details, { [KEPT]: KEPT });
  const news = body.events.slice(-4);
  assert.deepEqual(news.map(({ data }: { data: unknown }) => data), [
    { message: KEPT },
    { message: `${KEPT} again` },
    { message: KEPT, [KEPT]: [KEPT] },
    { reason: KEPT },
  ], "also a line that was reported twice is recorded once");
  assert.equal((await api.call("GET", `${path}/logs`)).text, KEPT);
});

Deno.test("worker details that were cut within an emoji are returned well-formed", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const workerId = await api.worker({ provider_details: { [CUT]: CUT } });
  const { body: worker } = await api.call("GET", `${WORKERS}/${workerId}`);
  assert.deepEqual(worker.provider_details, { [KEPT]: KEPT });
});

Deno.test("input of people is rejected if it could not be returned unchanged", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const pool = { name: "other", provider_type: "local" };
  for (const text of ["a NUL \0", "half of an emoji \ud83d", "\ude00"]) {
    for (
      const [path, body] of [
        ["/sessions", { labels: { name: text } }],
        ["/sessions", { labels: { [text]: "value" } }],
        ["/sessions", { environment: { NAME: text } }],
        ["/sessions", { work_pool_id: text }],
        ["/sessions", {
          proxy: { proxy_url: "http://proxy:1", proxy_password: text },
        }],
        ["/workerpool/pools", { ...pool, name: text }],
        ["/workerpool/pools", { ...pool, description: text }],
        ["/workerpool/pools", { ...pool, provider_config: { a: [text] } }],
        ["/workerpool/pools", { ...pool, default_environment: { A: text } }],
        [WORKERS, { work_pool_id: text }],
      ] as const
    ) {
      assertRefused(
        await api.call("POST", path, body),
        { status: 422, code: "invalid_request" },
        /expected text without NUL|invalid key/i,
      );
    }
  }
  const whole = { labels: { "😀": "naïve 日本" } };
  assert.deepEqual((await api.session(whole)).labels, whole.labels);
});

/** Returns an array that is nested `depth` times. */
function nested(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth));
}

Deno.test("event data that is too deep or too large is rejected, and accepted data breaks no heartbeat", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const send = (data: unknown) =>
    api.call("POST", `/sessions/${claimed.id}/events`, {
      fencing_token: claimed.fencing_token,
      event: "session_progress",
      data,
    });
  const refusal = { status: 422, code: "invalid_request" };
  for (const depth of [32, 1_000, 90_000]) {
    assertRefused(await send({ a: nested(depth) }), refusal, /at most 32/);
  }
  const large = { a: "x".repeat(65_536) };
  assertRefused(await send(large), refusal, /at most 65536/);
  assert.equal((await send({ a: nested(31) })).status, 204);
  assert.equal((await send({ a: "x".repeat(65_528) })).status, 204);
  // The heartbeat reads the recorded data.
  const progress = ["pulling"];
  assert.equal(
    await api.report(workerId, claimed, "running", { progress }),
    "accepted",
  );
});

Deno.test("event data that is not of the event's type is rejected, and unknown members are kept", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed } = await api.running();
  const path = `/sessions/${claimed.id}/events`;
  const send = (event: string, data: unknown) =>
    api.call("POST", path, {
      fencing_token: claimed.fencing_token,
      event,
      data,
    });
  for (
    const [event, data] of [
      ["session_progress", { message: 1 }],
      ["session_crashed", { reason: { text: "lost" } }],
      ["session_idle", { idle_seconds: "30" }],
    ] as const
  ) {
    const member = new RegExp(`data\\.${Object.keys(data)[0]}`);
    const refusal = { status: 422, code: "invalid_request" };
    assertRefused(await send(event, data), refusal, member);
  }
  const data = { message: "pulling", layer: 3 };
  assert.equal((await send("session_progress", data)).status, 204);
  const { body } = await api.call("GET", path);
  assert.deepEqual(body.items.at(-1).data, data);
});
