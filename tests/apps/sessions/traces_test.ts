import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { logRecords } from "../../support/log_records.ts";
import { startOtlpReceiver } from "../../support/otlp_receiver.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
} from "../../support/webhook_receiver.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT = "00f067aa0ba902b7";
const SAMPLED = { traceparent: `00-${TRACE}-${CLIENT}-01` };
const UNSAMPLED = { traceparent: `00-${TRACE}-${CLIENT}-00` };

Deno.test("without a collector a session keeps the trace that it is given, and passes it on to its worker", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid, SAMPLED);
  await api.pool();
  const workerId = await api.worker();
  const session = await api.session();
  assert.equal(session.trace_id, TRACE);
  const { body } = await api.call("GET", `/sessions/${session.id}`);
  assert.equal(body.trace_id, TRACE);
  const list = await api.call("GET", "/sessions");
  assert.equal(list.body.items[0].trace_id, TRACE);
  const claimed = await api.claim(workerId);
  assert.equal(claimed?.traceparent, SAMPLED.traceparent);
});

Deno.test("an absent or invalid traceparent is no trace and no fault", async () => {
  await using grid = await testGrid();
  for (
    const headers of [
      {},
      { traceparent: "" },
      { traceparent: "00-xyz" },
      { traceparent: `00-${"0".repeat(32)}-${CLIENT}-01` },
      { traceparent: `${SAMPLED.traceparent}, ${SAMPLED.traceparent}` },
      { traceparent: "x".repeat(5_000) },
    ]
  ) {
    const api = createApiClient(grid, headers as Record<string, string>);
    if (!("traceparent" in headers)) await api.pool();
    assert.equal((await api.session()).trace_id, null);
  }
});

Deno.test("a repeated request with an idempotency key keeps the first trace", async () => {
  await using receiver = await startOtlpReceiver();
  await using grid = await testGrid({
    settings: { otlp_endpoint: receiver.url },
  });
  await createApiClient(grid).pool();
  const create = async (headers: Record<string, string>) =>
    (await createApiClient(grid, { "Idempotency-Key": "a", ...headers })
      .session()).trace_id;
  assert.equal(await create(SAMPLED), TRACE);
  assert.equal(await create({}), TRACE);
});

Deno.test("spans of one session are in one trace, whichever server of two records them", async () => {
  await using receiver = await startOtlpReceiver();
  const settings = { otlp_endpoint: receiver.url };
  await using one = await testGrid({ settings });
  await using other = await testGrid({ settings, dataDir: one.dataDir });
  const api = createApiClient(one, SAMPLED);
  const second = createApiClient(other);
  await second.pool();
  const workerId = await second.worker();
  const session = await api.session();
  const claimed = await second.claim(workerId);
  assert.ok(claimed);
  await second.report(workerId, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
    warm: true,
  });
  await second.report(workerId, claimed, "crashed", {
    status_reason: "it broke",
  });
  const spans = await receiver.waitFor(
    "POST /v1/sessions",
    "create session",
    "queue",
    "claim",
    "ready",
    "run",
  );
  const find = (name: string) => {
    const [span, ...more] = spans.filter((each) => each.name === name);
    assert.ok(span, name);
    assert.deepEqual(more, []);
    return span;
  };
  const request = find("POST /v1/sessions");
  const root = find("create session");
  assert.equal(request.parentSpanId, CLIENT);
  assert.equal(request.attributes["http.response.status_code"], 201);
  assert.equal(root.parentSpanId, request.spanId);
  for (const name of ["queue", "claim", "ready", "run"]) {
    const span = find(name);
    assert.equal(span.traceId, TRACE);
    assert.equal(span.parentSpanId, root.spanId, name);
    assert.equal(span.attributes["browsergrid.session_id"], session.id);
    assert.equal(span.attributes["browsergrid.provider"], "local");
    assert.ok(span.endAt >= span.startAt);
    assert.notEqual(span.instance, root.instance);
  }
  assert.equal(
    claimed.traceparent,
    `00-${TRACE}-${find("claim").spanId}-01`,
  );
  assert.equal(find("run").error, "it broke");
  assert.equal(find("run").attributes["browsergrid.status"], "crashed");
  assert.ok(find("run").attributes["browsergrid.warm"]);
  assert.equal(find("ready").error, undefined);
  assert.equal(spans.length, 6);
});

Deno.test("a requeued session waits a second time in its trace", async () => {
  await using receiver = await startOtlpReceiver();
  await using grid = await testGrid({
    settings: { otlp_endpoint: receiver.url },
  });
  const api = createApiClient(grid);
  await api.pool();
  const workerId = await api.worker();
  const { trace_id } = await api.session();
  assert.match(trace_id, /^[0-9a-f]{32}$/);
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  await api.report(workerId, claimed, "released");
  await api.claim(workerId);
  const spans = await receiver.waitFor("claim", "create session");
  const waits = spans.filter(({ name }) => name === "queue");
  assert.deepEqual(
    waits.map(({ attributes }) => attributes["browsergrid.attempt"]),
    [1, 2],
  );
  const [first, again] = waits;
  assert.ok(first && again && again.startAt >= first.endAt);
  assert.ok(spans.every(({ traceId }) => traceId === trace_id));
  const root = spans.find(({ name }) => name === "create session");
  assert.equal(root?.parentSpanId, undefined);
});

Deno.test("nothing is sent of an unsampled trace, of a ratio of 0, or of a rejected key", async () => {
  await using receiver = await startOtlpReceiver();
  {
    await using grid = await testGrid({
      settings: {
        otlp_endpoint: receiver.url,
        trace_sample_ratio: 0,
        api_key: "an-admin-key-of-this-test",
      },
    });
    const key = { "x-api-key": "an-admin-key-of-this-test" };
    const api = createApiClient(grid, { ...UNSAMPLED, ...key });
    await api.pool();
    const workerId = await api.worker();
    assert.equal((await api.session()).trace_id, TRACE);
    const untraced = createApiClient(grid, key);
    assert.equal((await untraced.session()).trace_id, null);
    const claimed = await api.claim(workerId);
    assert.equal(claimed?.traceparent, UNSAMPLED.traceparent);
    const rejected = await createApiClient(grid, {
      ...SAMPLED,
      "x-api-key": "wrong",
    }).call("GET", "/sessions");
    assert.equal(rejected.status, 401);
  }
  assert.equal(receiver.requests.length, 0);
});

Deno.test("the log lines of a request and of a session have the trace id", async () => {
  await using logs = await logRecords();
  await using grid = await testGrid();
  await createApiClient(grid, SAMPLED).call("GET", "/sessions");
  await createApiClient(grid).call("GET", "/sessions");
  const lines = logs.records.filter(({ properties }) =>
    properties.path === "/v1/sessions"
  );
  assert.deepEqual(
    lines.map(({ properties }) => properties.trace_id),
    [TRACE, undefined],
  );
});

Deno.test("the log line of a request that starts a trace has its id", async () => {
  await using receiver = await startOtlpReceiver();
  await using logs = await logRecords();
  await using grid = await testGrid({
    settings: { otlp_endpoint: receiver.url },
  });
  const api = createApiClient(grid);
  await api.pool();
  const { trace_id } = await api.session();
  const lines = logs.records.filter(({ properties }) =>
    properties.path === "/v1/sessions"
  );
  assert.deepEqual(
    lines.map(({ properties }) => properties.trace_id),
    [trace_id],
  );
});

Deno.test("a webhook's requests for events of a session have its traceparent", async () => {
  await using receiver = await startReceiver();
  await using grid = await testGrid({
    listen: true,
    settings: RECEIVER_SETTINGS,
  });
  const api = createApiClient(grid);
  await api.pool();
  await api.call("POST", "/webhooks", {
    name: "hook",
    url: receiver.url,
    event_pattern: "session.created",
    headers: { traceparent: "own" },
  });
  await createApiClient(grid, SAMPLED).session();
  const [request] = await receiver.waitFor(1);
  assert.equal(request?.headers.get("traceparent"), SAMPLED.traceparent);
});
