import type { z } from "@hono/zod-openapi";
import type {
  poolInputSchema,
  PoolPatch,
  PoolWire,
  Pressure,
} from "../apps/workerpool/schemas.ts";
import type {
  SessionDetailWire,
  SessionEventWire,
  SessionInput,
  SessionWire,
} from "../apps/sessions/schemas.ts";
import type {
  ClaimAnswer,
  ClaimInput,
  HeartbeatAnswer,
  HeartbeatInput,
  Registration,
  workerInputSchema,
  WorkerWire,
} from "../apps/workers/schemas.ts";
import { errorOf, unreachable, unreadable } from "./api_error.ts";

export type {
  ClaimedSession,
  ReportResult,
  SessionReport,
  StopCommand,
} from "../apps/sessions/schemas.ts";
export type {
  Command,
  HeartbeatInput,
  HeldSessionWire,
  Registration,
} from "../apps/workers/schemas.ts";

/** Body of a new pool; defaults may be left out. */
export type PoolBody = z.input<typeof poolInputSchema>;
export type WorkerBody = z.input<typeof workerInputSchema>;

/** A page of things. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

export type Query = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** Where the server is, and the key for it. */
export interface ClientOptions {
  readonly apiUrl: string;
  readonly apiKey?: string | undefined;
  /** How requests are sent. @default {fetch} */
  readonly fetch?: typeof fetch;
}

interface Call {
  readonly body?: unknown;
  readonly query?: Query | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One method for each endpoint. All throw `ApiError`. */
export interface GridClient {
  readonly apiUrl: string;
  /** @param options With `idempotencyKey` it may be called again after an error: there is one session for each key. */
  createSession(
    input: SessionInput,
    options?: {
      readonly waitSeconds?: number | undefined;
      readonly idempotencyKey?: string | undefined;
    },
  ): Promise<SessionWire>;
  listSessions(query?: Query): Promise<Page<SessionWire>>;
  getSession(id: string, query?: Query): Promise<SessionDetailWire>;
  stopSession(id: string, query?: Query): Promise<SessionWire>;
  refreshSession(id: string, minutes?: number): Promise<SessionWire>;
  sessionEvents(id: string, query?: Query): Promise<Page<SessionEventWire>>;
  sessionLogs(id: string): Promise<string>;
  createPool(body: PoolBody): Promise<PoolWire>;
  listPools(query?: Query): Promise<Page<PoolWire>>;
  getPool(ref: string): Promise<PoolWire>;
  patchPool(ref: string, patch: PoolPatch): Promise<PoolWire>;
  deletePool(ref: string): Promise<void>;
  setPoolStatus(
    ref: string,
    verb: "pause" | "resume" | "drain",
  ): Promise<PoolWire>;
  poolPressure(ref: string): Promise<Pressure>;
  registerWorker(body: WorkerBody, signal?: AbortSignal): Promise<Registration>;
  listWorkers(query?: Query): Promise<Page<WorkerWire>>;
  getWorker(id: string): Promise<WorkerWire>;
  deleteWorker(id: string): Promise<void>;
  drainWorker(id: string, timeoutSeconds?: number): Promise<WorkerWire>;
  resumeWorker(id: string): Promise<WorkerWire>;
  heartbeat(
    workerId: string,
    body: HeartbeatInput,
    signal?: AbortSignal,
  ): Promise<HeartbeatAnswer>;
  /** Undefined: there was none in time. */
  claimSession(
    workerId: string,
    body: ClaimInput,
    options: {
      readonly waitSeconds: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<ClaimAnswer | undefined>;
}

/** A client of the server at `apiUrl`. Answers are trusted to be of this version's shapes. */
export function createClient(options: ClientOptions): GridClient {
  const base = options.apiUrl.replace(/\/+$/, "");
  const request = options.fetch ?? fetch;

  async function send(
    method: string,
    path: string,
    { body, query = {}, headers, signal }: Call,
  ): Promise<Response> {
    const url = new URL(`${base}/v1${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const response = await request(url, {
      method,
      headers: {
        ...(options.apiKey === undefined
          ? {}
          : { "x-api-key": options.apiKey }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    }).catch((cause: unknown) => {
      throw signal?.aborted ? signal.reason : unreachable(base, cause);
    });
    if (response.ok) return response;
    throw await errorOf(response);
  }

  async function call<T>(
    method: string,
    path: string,
    options: Call = {},
  ): Promise<T> {
    const response = await send(method, path, options);
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw unreadable(base, response.status, cause);
    }
  }

  async function discard(method: string, path: string): Promise<void> {
    const response = await send(method, path, {});
    await response.body?.cancel();
  }

  const sessionPath = (id: string) => `/sessions/${encodeURIComponent(id)}`;
  const poolPath = (ref: string) =>
    `/workerpool/pools/${encodeURIComponent(ref)}`;
  const workerPath = (id: string) =>
    `/workerpool/workers/${encodeURIComponent(id)}`;

  return {
    apiUrl: base,
    createSession: (
      body,
      // Also without a wish for it: a connection that breaks may have the request sent a second time by the runtime.
      { waitSeconds, idempotencyKey = crypto.randomUUID() } = {},
    ) =>
      call("POST", "/sessions", {
        body,
        query: { wait: waitSeconds },
        headers: { "idempotency-key": idempotencyKey },
      }),
    listSessions: (query) => call("GET", "/sessions", { query }),
    getSession: (id, query) => call("GET", sessionPath(id), { query }),
    stopSession: (id, query) => call("DELETE", sessionPath(id), { query }),
    refreshSession: (id, minutes) =>
      call("POST", `${sessionPath(id)}/refresh`, {
        body: minutes === undefined ? {} : { timeout_minutes: minutes },
      }),
    sessionEvents: (id, query) =>
      call("GET", `${sessionPath(id)}/events`, { query }),
    async sessionLogs(id) {
      const response = await send("GET", `${sessionPath(id)}/logs`, {});
      return await response.text();
    },
    createPool: (body) => call("POST", "/workerpool/pools", { body }),
    listPools: (query) => call("GET", "/workerpool/pools", { query }),
    getPool: (ref) => call("GET", poolPath(ref)),
    patchPool: (ref, body) => call("PATCH", poolPath(ref), { body }),
    deletePool: (ref) => discard("DELETE", poolPath(ref)),
    setPoolStatus: (ref, verb) => call("POST", `${poolPath(ref)}/${verb}`),
    poolPressure: (ref) => call("GET", `${poolPath(ref)}/pressure`),
    registerWorker: (body, signal) =>
      call("POST", "/workerpool/workers", { body, signal }),
    listWorkers: (query) => call("GET", "/workerpool/workers", { query }),
    getWorker: (id) => call("GET", workerPath(id)),
    deleteWorker: (id) => discard("DELETE", workerPath(id)),
    drainWorker: (id, timeoutSeconds) =>
      call("POST", `${workerPath(id)}/drain`, {
        body: timeoutSeconds === undefined
          ? {}
          : { timeout_seconds: timeoutSeconds },
      }),
    resumeWorker: (id) => call("POST", `${workerPath(id)}/resume`),
    heartbeat: (id, body, signal) =>
      call("PUT", `${workerPath(id)}/heartbeat`, { body, signal }),
    async claimSession(id, body, { waitSeconds, signal }) {
      const response = await send("POST", `${workerPath(id)}/claim-session`, {
        body,
        query: { wait: waitSeconds },
        signal,
      });
      if (response.status !== 204) return await response.json();
      await response.body?.cancel();
      return undefined;
    },
  };
}
