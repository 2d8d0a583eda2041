import type { z } from "@hono/zod-openapi";
import type {
  ClaimInput,
  ClaimResponse,
  HeartbeatInput,
  HeartbeatResponse,
  Registration,
  workerInputSchema,
  WorkerWire,
} from "../apps/workers/schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { Page, PageQuery } from "./pages.ts";
import { proofHeaders, type WorkerProof } from "../core/worker_proof.ts";

/** Body of a registration; defaults may be left out. */
export type WorkerBody = z.input<typeof workerInputSchema>;

/** Which workers to list. */
export interface WorkerQuery extends PageQuery {
  readonly work_pool_id?: string | undefined;
  readonly status?: WorkerWire["status"] | undefined;
}

/** Options of every call by a worker. */
export interface ProvenOptions extends CallOptions {
  readonly proof: WorkerProof;
}

/** Endpoints of workers. */
export interface WorkerMethods {
  registerWorker(
    body: WorkerBody,
    options?: CallOptions,
  ): Promise<Registration>;
  listWorkers(
    query?: WorkerQuery,
    options?: CallOptions,
  ): Promise<Page<WorkerWire>>;
  getWorker(id: string, options?: CallOptions): Promise<WorkerWire>;
  deleteWorker(id: string, options?: CallOptions): Promise<void>;
  drainWorker(
    id: string,
    timeoutSeconds?: number,
    options?: CallOptions,
  ): Promise<WorkerWire>;
  resumeWorker(id: string, options?: CallOptions): Promise<WorkerWire>;
  heartbeat(
    workerId: string,
    body: HeartbeatInput,
    options: ProvenOptions,
  ): Promise<HeartbeatResponse>;
  /** Undefined: there was none in time. */
  claimSession(
    workerId: string,
    body: ClaimInput,
    options: ProvenOptions & { readonly waitSeconds?: number },
  ): Promise<ClaimResponse | undefined>;
}

const WORKERS = "/v1/workerpool/workers";

/** The methods over `exchange`. */
export function workerMethods(exchange: Transport): WorkerMethods {
  const { json, jsonIfAny, text } = exchange;
  const pathOf = (id: string) => `${WORKERS}/${encodeURIComponent(id)}`;
  return {
    registerWorker: (body, options) =>
      json("POST", WORKERS, { ...options, body }),
    listWorkers: (query, options) =>
      json("GET", WORKERS, { ...options, query: { ...query } }),
    getWorker: (id, options) => json("GET", pathOf(id), options),
    async deleteWorker(id, options) {
      await text("DELETE", pathOf(id), options);
    },
    drainWorker: (id, timeoutSeconds, options) =>
      json("POST", `${pathOf(id)}/drain`, {
        ...options,
        body: timeoutSeconds === undefined
          ? {}
          : { timeout_seconds: timeoutSeconds },
      }),
    resumeWorker: (id, options) =>
      json("POST", `${pathOf(id)}/resume`, options),
    heartbeat: (id, body, { proof, ...options }) =>
      json("PUT", `${pathOf(id)}/heartbeat`, {
        ...options,
        body,
        headers: proofHeaders(proof),
      }),
    claimSession: (id, body, { proof, ...options }) =>
      jsonIfAny("POST", `${pathOf(id)}/claim-session`, {
        ...options,
        body,
        headers: proofHeaders(proof),
      }),
  };
}
