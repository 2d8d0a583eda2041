import { type ScopedSpan, Tracer } from "../../src/core/trace/tracer.ts";
import { createFakeClock } from "./clock.ts";

/** A tracer, what it has recorded, and its clock. */
export interface RecordingTracer {
  readonly tracer: Tracer;
  readonly spans: readonly ScopedSpan[];
  readonly clock: ReturnType<typeof createFakeClock>;
}

/** Returns a tracer with the spans that it has recorded, and a clock. */
export function createRecordingTracer(): RecordingTracer {
  const spans: ScopedSpan[] = [];
  const tracer = new Tracer({
    scope: "test",
    sampleRatio: 1,
    record: (span) => void spans.push(span),
  });
  return { spans, tracer, clock: createFakeClock() };
}
