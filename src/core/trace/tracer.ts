import { redactKeys } from "../redact.ts";
import { truncate } from "../text.ts";
import {
  createSpanId,
  createTraceId,
  parseTraceparent,
  type TraceContext,
} from "./trace_context.ts";

/** Maximum length of the text of an attribute or error. */
const MAX_TEXT = 300;

/** Values of a span's attributes. Absent ones are left out. */
export type SpanAttributes = Readonly<
  Record<string, string | number | boolean | null | undefined>
>;

/** A finished span. */
export interface Span {
  readonly context: TraceContext;
  /** Id of the parent; absent for the first span of a trace. */
  readonly parentSpanId?: string | undefined;
  /** A span of another trace that belongs to this one. */
  readonly link?: TraceContext | undefined;
  readonly name: string;
  /** `server`: the span responds to a request. @default {"internal"} */
  readonly kind?: "server" | "internal";
  /** Milliseconds since the epoch. */
  readonly startAt: number;
  readonly endAt: number;
  readonly attributes: SpanAttributes;
  /** Why the step failed. */
  readonly error?: string | undefined;
}

/** A finished span with the part of the program that recorded it. */
export interface ScopedSpan extends Span {
  readonly scope: string;
}

/** Receives finished spans, and sends them at some time. Neither throws nor waits. */
export type RecordSpan = (span: ScopedSpan) => void;

/** A finished span that is a child of another one, without its ids. */
export type ChildSpan = Omit<Span, "context" | "parentSpanId">;

/** Options of a {@linkcode Tracer}. */
export interface TracerOptions {
  /** Part of the program that the spans belong to. */
  readonly scope: string;
  /** Share of the traces that start here and are recorded, from 0 to 1. */
  readonly sampleRatio: number;
  /** Receives the spans. */
  readonly record: RecordSpan;
}

/** Decides which traces are recorded, and records their spans. */
export class Tracer {
  readonly #options: TracerOptions;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /**
   * Returns the context of a new span below `parent`; without one, the context of a new trace, if it is recorded.
   * Returns `parent` if no span is recorded.
   */
  begin(parent: TraceContext | undefined): TraceContext | undefined {
    if (parent) return parent.isSampled ? toChild(parent) : parent;
    const { sampleRatio } = this.#options;
    if (Math.random() >= sampleRatio) return undefined;
    return {
      traceId: createTraceId(),
      spanId: createSpanId(),
      isSampled: true,
    };
  }

  /** Records a span with the context that {@linkcode Tracer.begin} has returned. */
  end(
    context: TraceContext | undefined,
    parent: TraceContext | undefined,
    span: ChildSpan,
  ): void {
    // A context that is the parent's was passed on, and has no span here.
    if (!context || context === parent || !context.isSampled) return;
    const { scope, record } = this.#options;
    record({ ...limit(span), context, parentSpanId: parent?.spanId, scope });
  }

  /** Records a span below a context, which may be a stored header. Returns its context, or the parent if none is recorded. */
  record(
    parent: TraceContext | string | null | undefined,
    span: ChildSpan,
  ): TraceContext | undefined {
    const above = typeof parent === "string"
      ? parseTraceparent(parent)
      : parent ?? undefined;
    if (!above || !above.isSampled) return above;
    const context = toChild(above);
    this.end(context, above, span);
    return context;
  }

  /** Returns a tracer for another part of the program. */
  forScope(scope: string): Tracer {
    return new Tracer({ ...this.#options, scope });
  }
}

function toChild(parent: TraceContext): TraceContext {
  return { ...parent, spanId: createSpanId() };
}

/** Removes secrets, and cuts off long texts. */
function limit<S extends ChildSpan>(span: S): S {
  return {
    ...span,
    attributes: Object.fromEntries(
      Object.entries(span.attributes).map(([name, value]) => [
        name,
        typeof value === "string" ? toSafeText(value) : value,
      ]),
    ),
    ...(span.error === undefined ? {} : { error: toSafeText(span.error) }),
  };
}

function toSafeText(text: string): string {
  // A query may contain a token.
  const redacted = redactKeys(text).replace(/\?[^\s"']+/g, "?\u2026");
  return truncate(redacted, MAX_TEXT);
}
