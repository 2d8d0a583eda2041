import assert from "node:assert/strict";
import { type ScopedSpan, Tracer } from "../../../src/core/trace/tracer.ts";

const PARENT = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  isSampled: true,
};

const SPAN = { name: "step", startAt: 1, endAt: 2, attributes: {} };

function trace(sampleRatio: number) {
  const spans: ScopedSpan[] = [];
  const record = (span: ScopedSpan) => void spans.push(span);
  return { spans, tracer: new Tracer({ scope: "test", sampleRatio, record }) };
}

Deno.test("the flag of a received context decides, whatever the ratio", () => {
  for (const ratio of [0, 1]) {
    const { spans, tracer } = trace(ratio);
    const unsampled = { ...PARENT, isSampled: false };
    assert.equal(tracer.begin(unsampled), unsampled);
    tracer.end(tracer.begin(unsampled), unsampled, SPAN);
    tracer.record(unsampled, SPAN);
    assert.equal(spans.length, 0);
    const child = tracer.begin(PARENT);
    assert.equal(child?.traceId, PARENT.traceId);
    assert.notEqual(child?.spanId, PARENT.spanId);
    tracer.end(child, PARENT, SPAN);
    const [span] = spans;
    assert.equal(span?.context, child);
    assert.equal(span?.parentSpanId, PARENT.spanId);
    assert.equal(span?.scope, "test");
  }
});

Deno.test("the ratio decides about traces that start here", () => {
  assert.equal(trace(0).tracer.begin(undefined), undefined);
  const { spans, tracer } = trace(1);
  const first = tracer.begin(undefined);
  assert.ok(first?.isSampled);
  tracer.end(first, undefined, SPAN);
  assert.equal(spans[0]?.parentSpanId, undefined);
  const counts = trace(0.25).tracer;
  const begun = Array.from({ length: 2_000 }, () => counts.begin(undefined))
    .filter(Boolean).length;
  assert.ok(begun > 350 && begun < 650, String(begun));
});

Deno.test("record() reads a stored header and ignores an invalid one", () => {
  const { spans, tracer } = trace(1);
  for (const none of [null, undefined, "", "00-x"]) {
    assert.equal(tracer.record(none, SPAN), undefined);
  }
  const header = `00-${PARENT.traceId}-${PARENT.spanId}-01`;
  const context = tracer.record(header, SPAN);
  assert.equal(spans.length, 1);
  assert.equal(spans[0]?.context, context);
  assert.equal(spans[0]?.parentSpanId, PARENT.spanId);
});

Deno.test("spans contain no keys, and no long texts", () => {
  const { spans, tracer } = trace(1);
  const key = "http://user:hunter2@host/?token=hunter2";
  tracer.record(PARENT, {
    ...SPAN,
    attributes: { url: key, long: "x".repeat(10_000), count: 1 },
    error: `failed at ${key} ${"x".repeat(10_000)}`,
  });
  const text = JSON.stringify(spans);
  assert.ok(!text.includes("hunter2"), text);
  assert.ok(text.length < 3_000, String(text.length));
});
