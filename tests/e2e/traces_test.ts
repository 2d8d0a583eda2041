/** Traces of real sessions over a server, a worker and a real browser, each a process of its own. */
import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { freePort } from "../support/free_port.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "../support/otlp_receiver.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { askUpgrade } from "../support/raw_client.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE}-${CLIENT}-01`;

/** A server and a worker that send their spans to a collector. */
interface TracedGrid extends AsyncDisposable {
  readonly url: string;
  readonly server: RunningProgram;
  readonly worker: RunningProgram;
}

async function startGrid(collector: string): Promise<TracedGrid> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-traces-" });
  stack.defer(async () => {
    await assertNothingLeft(dataDir);
    await Deno.remove(dataDir, { recursive: true });
  });
  const env = (service: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_EXPORTER_OTLP_HEADERS: "x-collector-key=hunter2%20x",
    OTEL_SERVICE_NAME: service,
    BROWSERGRID_LOG_FORMAT: "json",
  });
  const common = ["--data-dir", dataDir];
  const server = stack.use(
    startProgram(["serve", "--port", "0", ...common], env("server")),
  );
  const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
  await createClient({ apiUrl: url }).createPool({
    name: "real",
    provider_type: "local",
  });
  const worker = stack.use(
    startProgram(
      ["worker", "--work-pool-id", "real", "--api-url", url, ...common],
      env("worker"),
    ),
  );
  await worker.until(/serves work pool/);
  const owned = stack.move();
  return {
    url,
    server,
    worker,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function index(spans: readonly ReceivedSpan[]) {
  return (name: string) => {
    const [span, ...more] = spans.filter((each) => each.name === name);
    assert.ok(span, name);
    assert.deepEqual(more, [], name);
    return span;
  };
}

function checkRequests({ requests, bodies, faults }: OtlpReceiver): void {
  assert.deepEqual(faults, []);
  for (const headers of requests) {
    assert.equal(headers.get("x-collector-key"), "hunter2 x");
  }
  const text = bodies.join("\n");
  assert.ok(!/hunter2|token=|devtools\/browser/.test(text), text);
}

Deno.test("a session with a real browser is one trace over server and worker, with the ids in every log line", async () => {
  await using collector = await startOtlpReceiver();
  await using grid = await startGrid(collector.url);
  const response = await fetch(`${grid.url}/v1/sessions?wait=60`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent: TRACEPARENT,
    },
    body: JSON.stringify({ headless: true }),
  });
  const session = await response.json();
  assert.equal(response.status, 201, JSON.stringify(session));
  assert.equal(session.trace_id, TRACE);
  {
    await using client = await cdpClient(session.connect_url);
    await client.call("Browser.getVersion");
  }
  await createClient({ apiUrl: grid.url }).stopSession(session.id);
  const spans = await collector.waitFor(
    "POST /v1/sessions",
    "create session",
    "queue",
    "claim",
    "start browser",
    "ready",
    "connect",
    "run",
  );
  const find = index(spans);
  assert.ok(spans.every(({ traceId }) => traceId === TRACE));
  const root = find("create session");
  assert.equal(find("POST /v1/sessions").parentSpanId, CLIENT);
  assert.equal(root.parentSpanId, find("POST /v1/sessions").spanId);
  for (const name of ["queue", "claim", "ready", "connect", "run"]) {
    assert.equal(find(name).parentSpanId, root.spanId, name);
    assert.equal(find(name).service, "server", name);
    assert.equal(find(name).scope, "browsergrid.server", name);
  }
  const start = find("start browser");
  assert.equal(start.parentSpanId, find("claim").spanId);
  assert.equal(start.service, "worker");
  assert.equal(start.scope, "browsergrid.worker");
  assert.equal(start.attributes["browsergrid.session_id"], session.id);
  assert.equal(start.attributes["browsergrid.provider"], "local");
  assert.equal(start.error, undefined);
  assert.ok(find("connect").attributes["browsergrid.reach"]);
  const order = ["create session", "queue", "claim", "start browser", "ready"]
    .map((name) => find(name).endAt);
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  checkRequests(collector);
  for (const program of [grid.server, grid.worker]) {
    const lines = program.output().split("\n").filter((line) =>
      line.startsWith("{") && line.includes(session.id) &&
      !line.includes('"/v1/sessions/')
    ).map((line) => JSON.parse(line));
    for (const line of lines) {
      const ids = { trace_id: line.trace_id, session_id: line.session_id };
      assert.deepEqual(ids, { trace_id: TRACE, session_id: session.id });
    }
    if (program === grid.worker) assert.ok(lines.length >= 3);
  }
  const requests = grid.server.output().split("\n").filter((line) =>
    line.includes(`"trace_id":"${TRACE}"`) && line.includes('"method":"POST"')
  );
  assert.equal(requests.length, 1, requests.join("\n"));
});

Deno.test("a client of /v1/connect starts a session in its trace", async () => {
  await using collector = await startOtlpReceiver();
  await using grid = await startGrid(collector.url);
  const socket = await askUpgrade(`${grid.url}/v1/connect?headless=true`, {
    traceparent: TRACEPARENT,
  });
  await new Promise((resolve) => socket.once("data", resolve));
  socket.destroy();
  const spans = await collector.waitFor("connect", "start browser", "run");
  const find = index(spans);
  assert.ok(spans.every(({ traceId }) => traceId === TRACE));
  const root = find("create session");
  assert.equal(root.parentSpanId, CLIENT);
  assert.ok(root.attributes["browsergrid.ephemeral"]);
  assert.equal(find("connect").parentSpanId, CLIENT);
  assert.equal(find("queue").parentSpanId, root.spanId);
  assert.equal(find("start browser").parentSpanId, find("claim").spanId);
  assert.equal(
    find("connect").attributes["browsergrid.session_id"],
    root.attributes["browsergrid.session_id"],
  );
  checkRequests(collector);
});

Deno.test("a collector that is absent or hangs neither delays a session nor the end of the programs", async () => {
  const never = Promise.withResolvers<number>();
  await using hanging = await startOtlpReceiver(() => never.promise);
  for (const collector of [`http://127.0.0.1:${freePort()}`, hanging.url]) {
    const grid = await startGrid(collector);
    const client = createClient({ apiUrl: grid.url });
    const { id, status } = await client.createSession({}, { waitSeconds: 60 });
    assert.equal(status, "running");
    await client.stopSession(id);
    const startedAt = performance.now();
    await grid[Symbol.asyncDispose]();
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 15_000, String(tookMs));
    assert.equal((await grid.server.status).code, 0);
    assert.ok(!grid.server.output().includes("hunter2"));
  }
  never.resolve(200);
});
