/**
 * The context of a trace, as the header `traceparent` contains it.
 *
 * @module
 * @see {@link https://www.w3.org/TR/trace-context/ W3C Trace Context}
 */

/** A span of a trace by its ids, under which other parts add spans. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The spans of the trace are recorded. */
  readonly isSampled: boolean;
}

/** Length of a header of version 00. */
const LENGTH = 55;

/** Maximum length of a header of a later version, which may have more fields. */
const MAX_LENGTH = 512;

const FORM =
  /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

const INVALID = /^0+$/;

/** Description of the header, for requests that start a session. */
export const TRACEPARENT_DESCRIPTION =
  "Trace that the session continues, by W3C Trace Context. An invalid one is ignored";

/** Parses a header. Returns undefined if it is absent or invalid: receivers must ignore it then. */
export function parseTraceparent(
  header: string | null | undefined,
): TraceContext | undefined {
  if (typeof header !== "string" || header.length > MAX_LENGTH) return;
  const [, version, traceId = "", spanId = "", flags = ""] =
    FORM.exec(header) ?? [];
  if (version === undefined || version === "ff") return;
  if (version === "00" && header.length !== LENGTH) return;
  if (INVALID.test(traceId) || INVALID.test(spanId)) return;
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & 1) === 1 };
}

/** Renders a context as a header. */
export function renderTraceparent(
  { traceId, spanId, isSampled }: TraceContext,
): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** Returns the trace id of a stored header. */
export function findTraceId(
  header: string | null | undefined,
): string | undefined {
  return parseTraceparent(header)?.traceId;
}

/** Returns a random id of a trace. */
export function createTraceId(): string {
  return createId(16);
}

/** Returns a random id of a span. */
export function createSpanId(): string {
  return createId(8);
}

function createId(bytes: number): string {
  for (;;) {
    const id = crypto.getRandomValues(new Uint8Array(bytes)).toHex();
    if (!INVALID.test(id)) return id;
  }
}
