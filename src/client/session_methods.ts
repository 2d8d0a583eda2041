import type { SchemaInput } from "../core/schema.ts";
import type {
  SessionEventWire,
  SessionHistorySchemas,
  SessionMetricWire,
} from "../apps/sessions/schemas/history.ts";
import type {
  SessionDetailWire,
  SessionInput,
  SessionWire,
} from "../apps/sessions/schemas.ts";
import { type EventStreamOptions, followStream } from "./event_stream.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { ProvenOptions } from "./worker_methods.ts";
import type { MetricsPage, MetricsQuery } from "./metrics_page.ts";
import type { Page, PageQuery } from "./pages.ts";
import { proofHeaders } from "../core/worker_proof.ts";

/** An event that the holder of a session records. */
export type SessionEventBody = SchemaInput<
  SessionHistorySchemas["sessionEventInputSchema"]
>;

/** A measurement that the holder of a session records. */
export type SessionMetricBody = SchemaInput<
  SessionHistorySchemas["sessionMetricInputSchema"]
>;

/** New output that the holder of a session sends. */
export type SessionLogBody = SchemaInput<
  SessionHistorySchemas["sessionLogInputSchema"]
>;

/** A part of a session's output. */
export interface SessionLogPart {
  /** New output, which need not end with a line. */
  readonly text: string;
  /** Number of bytes that were left out before it. */
  readonly omitted_bytes: number;
  /** True if the text begins with the last lines again. */
  readonly first: boolean;
}

/** The end of a session whose output was followed. */
export interface FollowedEnd {
  /** The last status of the session. */
  readonly status: SessionWire["status"];
  /** Reason of the end, if there is one. */
  readonly status_reason: string | null;
}

/** Selects sessions to list. */
export interface SessionQuery extends PageQuery {
  /** One status, or several separated by commas. */
  readonly status?: string | undefined;
  /** Id of a work pool. */
  readonly work_pool_id?: string | undefined;
  /** Id of a worker. */
  readonly worker_id?: string | undefined;
  /** A label as NAME=VALUE. */
  readonly label?: string | undefined;
}

/** Options of a call that creates a session. */
export interface CreateSessionOptions extends CallOptions {
  /** Time for which the server holds the response until the browser runs. */
  readonly waitSeconds?: number | undefined;
  /** Makes the call safe to repeat after an error: each key creates one session. @default {a random key} */
  readonly idempotencyKey?: string | undefined;
}

/** Endpoints of sessions. */
export interface SessionMethods {
  /** Creates a session, and waits for its browser with `waitSeconds`. */
  createSession(
    input: SessionInput,
    options?: CreateSessionOptions,
  ): Promise<SessionWire>;
  /** Lists sessions, newest first. */
  listSessions(
    query?: SessionQuery,
    options?: CallOptions,
  ): Promise<Page<SessionWire>>;
  /**
   * Returns a session.
   *
   * @param query With `include` ("events", "metrics" or "events,metrics"), the response contains its last events or metrics.
   */
  getSession(
    id: string,
    query?: { readonly include?: string | undefined },
    options?: CallOptions,
  ): Promise<SessionDetailWire>;
  /**
   * Ends a session.
   *
   * @param query With `force` the browser is killed.
   */
  stopSession(
    id: string,
    query?: { readonly force?: boolean | undefined },
    options?: CallOptions,
  ): Promise<SessionWire>;
  /**
   * Extends the lifetime of a session.
   *
   * @param minutes Lifetime from now; by default the session's own `timeout_minutes`.
   */
  refreshSession(
    id: string,
    minutes?: number,
    options?: CallOptions,
  ): Promise<SessionWire>;
  /** Lists the events of a session, oldest first. */
  listSessionEvents(
    id: string,
    query?: {
      readonly after?: number | undefined;
      readonly limit?: number | undefined;
    },
    options?: CallOptions,
  ): Promise<Page<SessionEventWire>>;
  /** Records an event, for the worker that holds the session. */
  addSessionEvent(
    id: string,
    body: SessionEventBody,
    options: ProvenOptions,
  ): Promise<void>;
  /** Lists measurements of a session, oldest first. */
  listSessionMetrics(
    id: string,
    query?: MetricsQuery,
    options?: CallOptions,
  ): Promise<MetricsPage<SessionMetricWire>>;
  /** Records a measurement, for the worker that holds the session. */
  addSessionMetric(
    id: string,
    body: SessionMetricBody,
    options: ProvenOptions,
  ): Promise<void>;
  /** Sends new output, for the worker that holds the session. */
  addSessionLogs(
    id: string,
    body: SessionLogBody,
    options: ProvenOptions,
  ): Promise<{ readonly followed: boolean }>;
  /**
   * Yields the last lines of a session's output, then new output as it comes, and returns how the session has ended;
   * undefined if `signal` was aborted before.
   *
   * A connection that is lost is opened again after the last part that was received. Until it has been open once, and if
   * the server rejects it, the error is thrown instead.
   */
  followSessionLogs(
    id: string,
    options?: EventStreamOptions,
  ): AsyncGenerator<SessionLogPart, FollowedEnd | undefined, undefined>;
  /** Returns the last output of a session's browser as text, after it has ended. */
  getSessionLogs(id: string, options?: CallOptions): Promise<string>;
}

/** Creates the methods over `transport`. */
export function createSessionMethods(transport: Transport): SessionMethods {
  const buildPath = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`;
  return {
    createSession: (
      body,
      // Always, because the runtime may send the request a second time after a broken connection.
      { idempotencyKey = crypto.randomUUID(), ...options } = {},
    ) =>
      transport.json("POST", "/v1/sessions", {
        ...options,
        body,
        headers: { "idempotency-key": idempotencyKey },
      }),
    listSessions: (query, options) =>
      transport.json("GET", "/v1/sessions", {
        ...options,
        query: { ...query },
      }),
    getSession: (id, query, options) =>
      transport.json("GET", buildPath(id), { ...options, query }),
    stopSession: (id, query, options) =>
      transport.json("DELETE", buildPath(id), { ...options, query }),
    refreshSession: (id, minutes, options) =>
      transport.json("POST", `${buildPath(id)}/refresh`, {
        ...options,
        body: minutes === undefined ? {} : { timeout_minutes: minutes },
      }),
    listSessionEvents: (id, query, options) =>
      transport.json("GET", `${buildPath(id)}/events`, { ...options, query }),
    async addSessionEvent(id, body, { proof, ...options }) {
      const headers = proofHeaders(proof);
      await transport.text("POST", `${buildPath(id)}/events`, {
        ...options,
        body,
        headers,
      });
    },
    listSessionMetrics: (id, query, options) =>
      transport.json("GET", `${buildPath(id)}/metrics`, {
        ...options,
        query: { ...query },
      }),
    async addSessionMetric(id, body, { proof, ...options }) {
      const headers = proofHeaders(proof);
      await transport.text("POST", `${buildPath(id)}/metrics`, {
        ...options,
        body,
        headers,
      });
    },
    addSessionLogs: (id, body, { proof, ...options }) =>
      transport.json("POST", `${buildPath(id)}/logs`, {
        ...options,
        body,
        headers: proofHeaders(proof),
      }),
    followSessionLogs: (id, options = {}) =>
      followStream<SessionLogPart, FollowedEnd>({
        open: (lastId, signal) =>
          transport.stream(`${buildPath(id)}/logs`, {
            ...options,
            signal,
            query: { follow: true },
            headers: {
              accept: "text/event-stream",
              ...(lastId === undefined ? {} : { "last-event-id": lastId }),
            },
          }),
        read: (type, data) => {
          const value = JSON.parse(data);
          return type === "session_ended" ? { end: value } : { item: value };
        },
      }, options),
    getSessionLogs: (id, options) =>
      transport.text("GET", `${buildPath(id)}/logs`, options),
  };
}
