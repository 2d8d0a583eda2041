import type { SchemaInput } from "../core/schema.ts";
import type {
  Registration,
  WorkerMetricWire,
  WorkerSchemas,
  WorkerWire,
} from "../apps/workers/schemas.ts";
import type {
  ClaimInput,
  ClaimResponse,
  HeartbeatInput,
  HeartbeatResponse,
} from "../apps/workers/schemas/service.ts";
import type {
  BrowserEventsInput,
  BrowserEventsResult,
} from "../apps/webhooks/schemas/browser_events.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { MetricsPage, MetricsQuery } from "./metrics_page.ts";
import type { Page, PageQuery } from "./pages.ts";
import { proofHeaders, type WorkerProof } from "../core/worker_proof.ts";

/** Body of a registration. Fields with defaults may be absent. */
export type WorkerBody = SchemaInput<WorkerSchemas["workerInputSchema"]>;

/** Selects workers to list. */
export interface WorkerQuery extends PageQuery {
  /** Id of a work pool. */
  readonly work_pool_id?: string | undefined;
  /** Status of the workers. */
  readonly status?: WorkerWire["status"] | undefined;
}

/** Options of the calls that only a worker makes. */
export interface ProvenOptions extends CallOptions {
  /** Proof of the worker's identity. */
  readonly proof: WorkerProof;
}

/** Endpoints of workers. */
export interface WorkerMethods {
  /** Registers a worker. */
  registerWorker(
    body: WorkerBody,
    options?: CallOptions,
  ): Promise<Registration>;
  /** Lists the workers. */
  listWorkers(
    query?: WorkerQuery,
    options?: CallOptions,
  ): Promise<Page<WorkerWire>>;
  /** Returns a worker. */
  getWorker(id: string, options?: CallOptions): Promise<WorkerWire>;
  /** Lists measurements of a worker's host, oldest first. */
  listWorkerMetrics(
    id: string,
    query?: MetricsQuery,
    options?: CallOptions,
  ): Promise<MetricsPage<WorkerMetricWire>>;
  /** Deletes a worker that holds no session. */
  deleteWorker(id: string, options?: CallOptions): Promise<void>;
  /**
   * Drains a worker: it takes no more sessions and leaves when the running ones have ended.
   *
   * @param timeoutSeconds Time that its sessions have to end; by default the setting `drain_timeout_seconds`.
   */
  drainWorker(
    id: string,
    timeoutSeconds?: number,
    options?: CallOptions,
  ): Promise<WorkerWire>;
  /** Cancels the drain of a worker. */
  resumeWorker(id: string, options?: CallOptions): Promise<WorkerWire>;
  /** Sends a worker's reports and returns its commands. */
  sendHeartbeat(
    workerId: string,
    body: HeartbeatInput,
    options: ProvenOptions,
  ): Promise<HeartbeatResponse>;
  /** Claims sessions for a worker. Returns undefined if there was none in time. */
  claimSession(
    workerId: string,
    body: ClaimInput,
    options: ProvenOptions & { readonly waitSeconds?: number },
  ): Promise<ClaimResponse | undefined>;
  /** Sends events of browsers of a worker's sessions, for webhooks. */
  sendBrowserEvents(
    workerId: string,
    body: BrowserEventsInput,
    options: ProvenOptions,
  ): Promise<BrowserEventsResult>;
}

const WORKERS = "/v1/workerpool/workers";

/** Creates the methods over `transport`. */
export function createWorkerMethods(transport: Transport): WorkerMethods {
  const buildPath = (id: string) => `${WORKERS}/${encodeURIComponent(id)}`;
  return {
    registerWorker: (body, options) =>
      transport.json("POST", WORKERS, { ...options, body }),
    listWorkers: (query, options) =>
      transport.json("GET", WORKERS, { ...options, query: { ...query } }),
    getWorker: (id, options) => transport.json("GET", buildPath(id), options),
    listWorkerMetrics: (id, query, options) =>
      transport.json("GET", `${buildPath(id)}/metrics`, {
        ...options,
        query: { ...query },
      }),
    async deleteWorker(id, options) {
      await transport.text("DELETE", buildPath(id), options);
    },
    drainWorker: (id, timeoutSeconds, options) =>
      transport.json("POST", `${buildPath(id)}/drain`, {
        ...options,
        body: timeoutSeconds === undefined
          ? {}
          : { timeout_seconds: timeoutSeconds },
      }),
    resumeWorker: (id, options) =>
      transport.json("POST", `${buildPath(id)}/resume`, options),
    sendHeartbeat: (id, body, { proof, ...options }) =>
      transport.json("PUT", `${buildPath(id)}/heartbeat`, {
        ...options,
        body,
        headers: proofHeaders(proof),
      }),
    claimSession: (id, body, { proof, ...options }) =>
      transport.jsonIfAny("POST", `${buildPath(id)}/claim-session`, {
        ...options,
        body,
        headers: proofHeaders(proof),
      }),
    sendBrowserEvents: (id, body, { proof, ...options }) =>
      transport.json("POST", `${buildPath(id)}/browser-events`, {
        ...options,
        body,
        headers: proofHeaders(proof),
      }),
  };
}
