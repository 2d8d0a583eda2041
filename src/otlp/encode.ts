import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ScopedSpan } from "../core/trace/tracer.ts";

type SdkSpan = Parameters<typeof JsonTraceSerializer.serializeRequest>[0][
  number
];

/** Values of OpenTelemetry's enumerations. */
const KINDS = { internal: 0, server: 1 } as const;
const STATUS = { unset: 0, error: 2 } as const;
const SAMPLED = 1;

/** Attributes of the process that sends spans. */
export type ResourceAttributes = Readonly<Record<string, string>>;

/** Encodes spans as the body of an OTLP request, in JSON. */
export function encodeSpans(
  spans: readonly ScopedSpan[],
  attributes: ResourceAttributes,
): Uint8Array<ArrayBuffer> {
  const resource: SdkSpan["resource"] = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  const scopes = new Map<string, SdkSpan["instrumentationScope"]>();
  const sdkSpans = spans.map((span) => {
    const scope = scopes.get(span.scope) ?? { name: span.scope };
    scopes.set(span.scope, scope);
    return toSdkSpan(span, resource, scope);
  });
  return new Uint8Array(JsonTraceSerializer.serializeRequest(sdkSpans) ?? []);
}

function toSdkSpan(
  span: ScopedSpan,
  resource: SdkSpan["resource"],
  instrumentationScope: SdkSpan["instrumentationScope"],
): SdkSpan {
  const { traceId, spanId } = span.context;
  const { parentSpanId, link, error } = span;
  const known = Object.entries(span.attributes).filter(([, value]) =>
    value !== undefined && value !== null
  );
  return {
    name: span.name,
    kind: KINDS[span.kind ?? "internal"],
    spanContext: () => ({ traceId, spanId, traceFlags: SAMPLED }),
    ...(parentSpanId === undefined ? {} : {
      parentSpanContext: {
        traceId,
        spanId: parentSpanId,
        traceFlags: SAMPLED,
      },
    }),
    startTime: toHrTime(span.startAt),
    // Clocks may be set back.
    endTime: toHrTime(Math.max(span.startAt, span.endAt)),
    duration: toHrTime(Math.max(0, span.endAt - span.startAt)),
    status: error === undefined
      ? { code: STATUS.unset }
      : { code: STATUS.error, message: error },
    attributes: Object.fromEntries(known),
    links: link
      ? [{
        context: {
          traceId: link.traceId,
          spanId: link.spanId,
          traceFlags: link.isSampled ? SAMPLED : 0,
        },
      }]
      : [],
    events: [],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Converts milliseconds to seconds and nanoseconds. */
function toHrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
