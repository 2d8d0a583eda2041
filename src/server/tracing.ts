import type { Clock } from "../async/clock.ts";
import type { MetricRegistry } from "../core/metrics/registry.ts";
import type { Settings } from "../core/settings.ts";
import { createTracer, type OpenTracer } from "../otlp/create_tracer.ts";

/** Parts of a server that its tracer needs. */
export interface TracingParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly metrics: MetricRegistry;
  readonly version: string;
}

/** Creates the tracer of a server, and counts the spans in its metrics. @param endpoint URL of the collector. */
export function openTracing(
  endpoint: string,
  { metrics, ...parts }: TracingParts,
): OpenTracer {
  const spans = metrics.counter({
    name: "browsergrid_trace_spans_total",
    help: "Spans of traces that were sent to the collector or dropped",
    labels: { result: "sent, dropped" },
    scope: "process",
  });
  return createTracer({
    ...parts,
    endpoint,
    part: "server",
    onDone: (count, result) => spans.of(result).add(count),
  });
}
