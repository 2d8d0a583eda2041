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
import type { CallOptions, Transport } from "./transport.ts";
import type { ProvenOptions } from "./worker_methods.ts";
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
  /** Lists the measurements of a session. */
  listSessionMetrics(
    id: string,
    query?: { readonly limit?: number | undefined },
    options?: CallOptions,
  ): Promise<Page<SessionMetricWire>>;
  /** Records a measurement, for the worker that holds the session. */
  addSessionMetric(
    id: string,
    body: SessionMetricBody,
    options: ProvenOptions,
  ): Promise<void>;
  /** Returns the last output of a session's browser as text. */
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
      transport.json("GET", `${buildPath(id)}/metrics`, { ...options, query }),
    async addSessionMetric(id, body, { proof, ...options }) {
      const headers = proofHeaders(proof);
      await transport.text("POST", `${buildPath(id)}/metrics`, {
        ...options,
        body,
        headers,
      });
    },
    getSessionLogs: (id, options) =>
      transport.text("GET", `${buildPath(id)}/logs`, options),
  };
}
