import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/async/clock.ts";
import { SpanExporter } from "../../src/otlp/exporter.ts";
import type { ScopedSpan } from "../../src/core/trace/tracer.ts";
import { createFakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { logRecords } from "../support/log_records.ts";
import { startOtlpReceiver } from "../support/otlp_receiver.ts";

const SPAN: ScopedSpan = {
  context: {
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: "00f067aa0ba902b7",
    isSampled: true,
  },
  parentSpanId: "a0f067aa0ba902b7",
  link: {
    traceId: "5bf92f3577b34da6a3ce929d0e0e4736",
    spanId: "b0f067aa0ba902b7",
    isSampled: false,
  },
  name: "step",
  kind: "server",
  scope: "browsergrid.test",
  startAt: Date.UTC(2026, 0, 1) + 0.25,
  endAt: Date.UTC(2026, 0, 1) + 1_500,
  attributes: { text: "a", flag: true, count: 3, share: 0.5, none: undefined },
  error: "it failed",
};

function create(url: string, clock: Clock = systemClock) {
  const done = { sent: 0, dropped: 0 };
  const exporter = new SpanExporter({
    endpoint: url,
    headers: { authorization: "Bearer hunter2" },
    resource: { "service.name": "tests" },
    clock,
    onDone: (count, result) => done[result] += count,
  });
  return { exporter, done };
}

Deno.test("spans are sent as OTLP in JSON, with the headers", async () => {
  await using receiver = await startOtlpReceiver();
  const { exporter, done } = create(`${receiver.url}/`);
  await using _exporter = exporter;
  exporter.add(SPAN);
  exporter.add({ ...SPAN, scope: "browsergrid.other", name: "second" });
  const spans = await receiver.waitFor("step", "second");
  assert.equal(receiver.requests.length, 1);
  const [headers] = receiver.requests;
  assert.equal(headers?.get("content-type"), "application/json");
  assert.equal(headers?.get("authorization"), "Bearer hunter2");
  const [step] = spans;
  assert.equal(step?.traceId, SPAN.context.traceId);
  assert.equal(step?.parentSpanId, SPAN.parentSpanId);
  assert.equal(step?.startAt, Date.UTC(2026, 0, 1));
  assert.equal(step?.endAt, SPAN.endAt);
  assert.equal(step?.error, "it failed");
  assert.equal(step?.service, "tests");
  assert.equal(step?.links[0]?.traceId, SPAN.link?.traceId);
  assert.deepEqual(step?.attributes, {
    text: "a",
    flag: true,
    count: 3,
    share: 0.5,
  });
  assert.deepEqual(spans.map(({ scope }) => scope), [
    "browsergrid.test",
    "browsergrid.other",
  ]);
  await eventually("they count", () => Promise.resolve(done.sent === 2));
  assert.deepEqual(receiver.faults, []);
});

Deno.test("a full queue drops spans and counts them; the rest is sent in batches", async () => {
  await using receiver = await startOtlpReceiver();
  const { exporter, done } = create(receiver.url);
  for (let count = 0; count < 3_000; count++) exporter.add(SPAN);
  assert.equal(done.dropped, 3_000 - 2_048);
  await exporter[Symbol.asyncDispose]();
  assert.deepEqual(done, { sent: 2_048, dropped: 952 });
  assert.equal(receiver.requests.length, 4);
  exporter.add(SPAN);
  assert.equal(done.dropped, 953);
});

Deno.test("a batch is repeated while the collector is overloaded, and dropped when it is rejected", async () => {
  const clock = createFakeClock();
  const replies = [503, 429, 200, 400, 307, 200];
  await using receiver = await startOtlpReceiver((count) =>
    replies[count] ?? 200
  );
  await using logs = await logRecords();
  const { exporter, done } = create(receiver.url, clock);
  await using _exporter = exporter;
  exporter.add(SPAN);
  for (let count = 1; count <= 3; count++) {
    await advanceUntil(clock, () => receiver.requests.length >= count);
  }
  await eventually("it is sent", () => Promise.resolve(done.sent === 1));
  for (const dropped of [1, 2]) {
    exporter.add(SPAN);
    await advanceUntil(clock, () => done.dropped === dropped);
  }
  exporter.add(SPAN);
  await advanceUntil(clock, () => done.sent === 2);
  assert.equal(receiver.requests.length, 6);
  const warnings = logs.records.filter(({ level }) => level === "warning");
  assert.ok(warnings.length >= 1 && warnings.length <= 3);
  const text = JSON.stringify(warnings);
  assert.ok(!text.includes("hunter2"), text);
});

Deno.test("a collector that is absent costs one warning a minute, and no span before the queue is full", async () => {
  const clock = createFakeClock();
  await using logs = await logRecords();
  const { exporter, done } = create(`http://127.0.0.1:${freePort()}`, clock);
  const warnings = () =>
    logs.records.filter(({ level }) => level === "warning").length;
  exporter.add(SPAN);
  await advanceUntil(clock, () => warnings() === 1);
  exporter.add(SPAN);
  await advanceUntil(clock, () => warnings() === 2);
  assert.deepEqual(done, { sent: 0, dropped: 0 });
  assert.ok(clock.monotonic() >= 60_000, String(clock.monotonic()));
  await exporter[Symbol.asyncDispose]();
  assert.deepEqual(done, { sent: 0, dropped: 2 });
});

Deno.test("a collector that hangs delays the end by at most the limit, and its connection is closed", async () => {
  const never = Promise.withResolvers<number>();
  await using receiver = await startOtlpReceiver(() => never.promise);
  const { exporter, done } = create(receiver.url);
  exporter.add(SPAN);
  await receiver.waitForRequests(1);
  const startedAt = performance.now();
  await exporter[Symbol.asyncDispose]();
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < 4_000, String(tookMs));
  assert.deepEqual(done, { sent: 0, dropped: 1 });
  never.resolve(200);
});

Deno.test("the path of the collector is kept, and /v1/traces is not added twice", async () => {
  await using receiver = await startOtlpReceiver();
  for (const path of ["", "/", "/v1/traces", "/v1/traces/"]) {
    const { exporter, done } = create(receiver.url + path);
    exporter.add(SPAN);
    await exporter[Symbol.asyncDispose]();
    assert.equal(done.sent, 1);
  }
  const { exporter } = create(`${receiver.url}/tenant/`);
  exporter.add(SPAN);
  await exporter[Symbol.asyncDispose]();
  assert.deepEqual(receiver.faults, [
    "POST /v1/traces/",
    "POST /tenant/v1/traces",
  ]);
});

/** Advances the clock until the condition is met. */
async function advanceUntil(
  clock: ReturnType<typeof createFakeClock>,
  isMet: () => boolean,
): Promise<void> {
  await eventually("the clock has advanced enough", () => {
    if (!isMet()) clock.advance(500);
    return Promise.resolve(isMet());
  });
}
