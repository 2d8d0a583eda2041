import assert from "node:assert/strict";
import { ConnectSpan } from "../../src/gateway/connect_span.ts";
import { createRecordingTracer } from "../support/recording_tracer.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER = "5bf92f3577b34da6a3ce929d0e0e4736";
const ROOT = "00f067aa0ba902b7";
const CLIENT = "a0f067aa0ba902b7";
const SESSION = { id: "s1", traceparent: `00-${TRACE}-${ROOT}-01` };

function setUp(traceId?: string, { isSampled = true } = {}) {
  const { spans, clock, tracer } = createRecordingTracer();
  const request = traceId && { traceId, spanId: CLIENT, isSampled };
  const span = new ConnectSpan({ clock, tracer }, request || undefined);
  return { spans, clock, span };
}

Deno.test("a connection without a traceparent is below the session's span", () => {
  const { spans, clock, span } = setUp();
  span.setSession(SESSION);
  clock.advance(50);
  span.add({ "browsergrid.reach": "direct" });
  span.end();
  span.end("too late");
  assert.equal(spans.length, 1);
  const [found] = spans;
  assert.equal(found?.context.traceId, TRACE);
  assert.equal(found?.parentSpanId, ROOT);
  assert.equal(found && found.endAt - found.startAt, 50);
  assert.equal(found?.error, undefined);
  assert.deepEqual(found?.attributes, {
    "browsergrid.session_id": "s1",
    "browsergrid.reach": "direct",
  });
});

Deno.test("a client of the session's trace is the parent of its connection", () => {
  const { spans, span } = setUp(TRACE);
  span.setSession(SESSION);
  span.end();
  assert.equal(spans[0]?.parentSpanId, CLIENT);
  assert.equal(spans[0]?.link, undefined);
});

Deno.test("a client of another trace is linked, and the connection stays in the session's trace", () => {
  const { spans, span } = setUp(OTHER);
  span.setSession(SESSION);
  span.end();
  assert.equal(spans[0]?.context.traceId, TRACE);
  assert.equal(spans[0]?.parentSpanId, ROOT);
  assert.equal(spans[0]?.link?.traceId, OTHER);
});

Deno.test("a rejected connection has the error, also if its session is not known", () => {
  const known = setUp();
  known.span.setSession(SESSION);
  known.span.end(new Error("no browser"));
  assert.equal(known.spans[0]?.error, "no browser");
  const unknown = setUp(OTHER);
  unknown.span.end(new Error("no session"));
  assert.equal(unknown.spans[0]?.parentSpanId, CLIENT);
  const untraced = setUp();
  untraced.span.setSession({ id: "s2", traceparent: null });
  untraced.span.end();
  const unsampled = setUp(TRACE, { isSampled: false });
  unsampled.span.end();
  assert.deepEqual([untraced.spans.length, unsampled.spans.length], [0, 0]);
});
