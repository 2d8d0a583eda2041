import type { z } from "@hono/zod-openapi";
import type {
  SessionDetailWire,
  SessionInput,
  SessionWire,
} from "../apps/sessions/schemas.ts";
import type {
  sessionEventInputSchema,
  SessionEventWire,
  sessionMetricInputSchema,
  SessionMetricWire,
} from "../apps/sessions/schemas/history.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { ProvenOptions } from "./worker_methods.ts";
import type { Page, PageQuery } from "./pages.ts";
import { proofHeaders } from "../core/worker_proof.ts";

/** An event that the holder of a session records. */
export type SessionEventBody = z.input<typeof sessionEventInputSchema>;

/** A measurement that the holder of a session records. */
export type SessionMetricBody = z.input<typeof sessionMetricInputSchema>;

/** Which sessions to list. */
export interface SessionQuery extends PageQuery {
  /** One status, or several with commas between. */
  readonly status?: string | undefined;
  readonly work_pool_id?: string | undefined;
  readonly worker_id?: string | undefined;
  /** NAME=VALUE. */
  readonly label?: string | undefined;
}

/** How a session is asked for. */
export interface CreateOptions extends CallOptions {
  /** Holds the answer until the browser runs. */
  readonly waitSeconds?: number | undefined;
  /** With it the call may be made again after an error: there is one session for each key. */
  readonly idempotencyKey?: string | undefined;
}

/** Endpoints of sessions. */
export interface SessionMethods {
  createSession(
    input: SessionInput,
    options?: CreateOptions,
  ): Promise<SessionWire>;
  listSessions(
    query?: SessionQuery,
    options?: CallOptions,
  ): Promise<Page<SessionWire>>;
  /** @param query With `include` ("events", "metrics", "events,metrics") also the last of what it did. */
  getSession(
    id: string,
    query?: { readonly include?: string | undefined },
    options?: CallOptions,
  ): Promise<SessionDetailWire>;
  /** @param query With `force` the browser is killed. */
  stopSession(
    id: string,
    query?: { readonly force?: boolean | undefined },
    options?: CallOptions,
  ): Promise<SessionWire>;
  /** @param minutes From now; by default as long as it was given at first. */
  refreshSession(
    id: string,
    minutes?: number,
    options?: CallOptions,
  ): Promise<SessionWire>;
  sessionEvents(
    id: string,
    query?: {
      readonly after?: number | undefined;
      readonly limit?: number | undefined;
    },
    options?: CallOptions,
  ): Promise<Page<SessionEventWire>>;
  addSessionEvent(
    id: string,
    body: SessionEventBody,
    options: ProvenOptions,
  ): Promise<void>;
  sessionMetrics(
    id: string,
    query?: { readonly limit?: number | undefined },
    options?: CallOptions,
  ): Promise<Page<SessionMetricWire>>;
  addSessionMetric(
    id: string,
    body: SessionMetricBody,
    options: ProvenOptions,
  ): Promise<void>;
  sessionLogs(id: string, options?: CallOptions): Promise<string>;
}

/** The methods over `exchange`. */
export function sessionMethods(exchange: Transport): SessionMethods {
  const { json, text } = exchange;
  const pathOf = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`;
  return {
    createSession: (
      body,
      // Also without a wish for it: a connection that breaks may have the request sent a second time by the runtime.
      { idempotencyKey = crypto.randomUUID(), ...options } = {},
    ) =>
      json("POST", "/v1/sessions", {
        ...options,
        body,
        headers: { "idempotency-key": idempotencyKey },
      }),
    listSessions: (query, options) =>
      json("GET", "/v1/sessions", { ...options, query: { ...query } }),
    getSession: (id, query, options) =>
      json("GET", pathOf(id), { ...options, query }),
    stopSession: (id, query, options) =>
      json("DELETE", pathOf(id), { ...options, query }),
    refreshSession: (id, minutes, options) =>
      json("POST", `${pathOf(id)}/refresh`, {
        ...options,
        body: minutes === undefined ? {} : { timeout_minutes: minutes },
      }),
    sessionEvents: (id, query, options) =>
      json("GET", `${pathOf(id)}/events`, { ...options, query }),
    async addSessionEvent(id, body, { proof, ...options }) {
      const headers = proofHeaders(proof);
      await text("POST", `${pathOf(id)}/events`, { ...options, body, headers });
    },
    sessionMetrics: (id, query, options) =>
      json("GET", `${pathOf(id)}/metrics`, { ...options, query }),
    async addSessionMetric(id, body, { proof, ...options }) {
      const headers = proofHeaders(proof);
      await text("POST", `${pathOf(id)}/metrics`, {
        ...options,
        body,
        headers,
      });
    },
    sessionLogs: (id, options) => text("GET", `${pathOf(id)}/logs`, options),
  };
}
