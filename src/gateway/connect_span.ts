import type { Clock } from "../async/clock.ts";
import { noteTrace } from "../core/log.ts";
import {
  parseTraceparent,
  type TraceContext,
} from "../core/trace/trace_context.ts";
import type { SpanAttributes, Tracer } from "../core/trace/tracer.ts";

/** Dependencies of a {@linkcode ConnectSpan}. */
export interface ConnectSpanParts {
  readonly clock: Pick<Clock, "now">;
  readonly tracer?: Tracer | undefined;
}

/**
 * The span of a client's connection, from its request until its socket is joined with the browser's, or rejected. It
 * belongs to the trace of the session, below the span of the client if that is in the same trace.
 */
export class ConnectSpan {
  readonly #parts: ConnectSpanParts;
  readonly #request: TraceContext | undefined;
  readonly #startAt: number;
  #session: TraceContext | undefined;
  #attributes: SpanAttributes = {};
  #isEnded = false;

  /** @param request Trace of the client's request. */
  constructor(parts: ConnectSpanParts, request: TraceContext | undefined) {
    this.#parts = parts;
    this.#request = request;
    this.#startAt = parts.clock.now();
  }

  /** Sets the session, once it is known. */
  setSession(
    { id, traceparent }: {
      readonly id: string;
      readonly traceparent: string | null;
    },
  ): void {
    this.add({ "browsergrid.session_id": id });
    if (traceparent === null) return;
    this.#session = parseTraceparent(traceparent);
    noteTrace(id, traceparent);
  }

  /** Adds attributes. */
  add(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  /** Records the span. Only the first call counts. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { clock, tracer } = this.#parts;
    const request = this.#request;
    const session = this.#session;
    const isOther = request && session && request.traceId !== session.traceId;
    tracer?.record(isOther ? session : request ?? session, {
      name: "connect",
      kind: "server",
      startAt: this.#startAt,
      endAt: clock.now(),
      attributes: this.#attributes,
      ...(isOther ? { link: request } : {}),
      ...(error === undefined ? {} : {
        error: error instanceof Error ? error.message : String(error),
      }),
    });
  }
}
