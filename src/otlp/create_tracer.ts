import type { Clock } from "../async/clock.ts";
import type { Settings } from "../core/settings.ts";
import { Tracer } from "../core/trace/tracer.ts";
import { SpanExporter } from "./exporter.ts";

/** Settings of traces. */
export type TraceSettings = Pick<
  Settings,
  "otlp_headers" | "otlp_service_name" | "trace_sample_ratio"
>;

/** Options of {@linkcode createTracer}. */
export interface CreateTracerOptions {
  readonly endpoint: string;
  readonly settings: TraceSettings;
  readonly clock: Clock;
  readonly version: string;
  /** Part of the program that records the spans: `server` or `worker`. */
  readonly part: string;
  /** Called with the number of spans that were sent or dropped. */
  readonly onDone?: (count: number, result: "sent" | "dropped") => void;
}

/** A tracer, and the exporter that its disposal ends. */
export interface OpenTracer extends AsyncDisposable {
  readonly tracer: Tracer;
}

/** Creates a tracer that sends spans to a collector. Connects to it with the first span. */
export function createTracer(
  { endpoint, settings, clock, version, part, ...rest }: CreateTracerOptions,
): OpenTracer {
  const exporter = new SpanExporter({
    ...rest,
    endpoint,
    headers: settings.otlp_headers,
    resource: {
      "service.name": settings.otlp_service_name,
      "service.version": version,
      "service.instance.id": crypto.randomUUID(),
    },
    clock,
  });
  return {
    tracer: new Tracer({
      scope: `browsergrid.${part}`,
      sampleRatio: settings.trace_sample_ratio,
      record: (span) => exporter.add(span),
    }),
    [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose](),
  };
}
