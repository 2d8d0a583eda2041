import assert from "node:assert/strict";
import { StartSpan } from "../../src/worker/start_span.ts";
import { createClaimedSession } from "../support/claimed_session.ts";
import { createRecordingTracer } from "../support/recording_tracer.ts";

const CLAIM = "00f067aa0ba902b7";
const traceparent = `00-4bf92f3577b34da6a3ce929d0e0e4736-${CLAIM}-01`;

function start(fields: { readonly traceparent?: string }) {
  const { spans, clock, tracer } = createRecordingTracer();
  const span = new StartSpan(createClaimedSession(fields), { clock, tracer });
  return { spans, clock, span };
}

Deno.test("the start of a browser is below the claim, and only its first end counts", () => {
  const { spans, clock, span } = start({ traceparent });
  clock.advance(700);
  span.end({ isWarm: true });
  span.end({ end: { status: "crashed", reason: "later" } });
  assert.equal(spans.length, 1);
  const [found] = spans;
  assert.equal(found?.parentSpanId, CLAIM);
  assert.equal(found && found.endAt - found.startAt, 700);
  assert.equal(found?.error, undefined);
  assert.equal(found?.attributes["browsergrid.status"], "running");
  assert.ok(found?.attributes["browsergrid.warm"]);
});

Deno.test("a failed start has its reason as the error", () => {
  const { spans, span } = start({ traceparent });
  span.end({ end: { status: "failed", reason: "no such image" } });
  assert.equal(spans[0]?.error, "no such image");
  assert.equal(spans[0]?.attributes["browsergrid.status"], "failed");
});

Deno.test("a session without a trace, or with an unsampled one, has no span", () => {
  for (const fields of [{}, { traceparent: traceparent.replace(/1$/, "0") }]) {
    const { spans, span } = start(fields);
    span.end({});
    assert.equal(spans.length, 0);
  }
});
