import { v7 as uuid } from "uuid";
import { GridError } from "../../core/errors.ts";
import { hashSecret } from "../../http/auth/worker_caller.ts";
import type { LeasedSession } from "../sessions/manager.ts";
import type { Pool } from "../workerpool/manager.ts";
import { poolProblems } from "../workerpool/problems.ts";
import { workerProblems } from "./problems.ts";
import type { HeldSessionWire, WorkerInput } from "./schemas.ts";
import type { WorkerRow } from "./worker.ts";

/** A registration with the proof for later calls. */
interface ProvenInput extends WorkerInput {
  readonly secret: string;
  readonly instance_id: string;
}

/**
 * Returns the registration, with a generated secret and instance id where the worker sent none; the response then
 * contains them.
 */
export function addProof(input: WorkerInput): ProvenInput {
  return {
    ...input,
    secret: input.secret ?? crypto.randomUUID() + crypto.randomUUID(),
    instance_id: input.instance_id ?? crypto.randomUUID(),
  };
}

/** Returns the row of a worker that registers. @param known The stored worker with its id, if there is one. */
export async function toWorkerRow(
  input: ProvenInput,
  { pool, now, known }: {
    readonly pool: Pick<Pool, "id" | "providerType">;
    readonly now: number;
    readonly known: WorkerRow | undefined;
  },
): Promise<WorkerRow> {
  const id = input.id ?? uuid();
  return {
    id,
    name: input.name ?? known?.name ?? `worker-${id.slice(-12)}`,
    workPoolId: pool.id,
    providerType: pool.providerType,
    providerDetails: input.provider_details,
    secretHash: await hashSecret(input.secret),
    capacity: input.capacity,
    currentLoad: 0,
    status: "online",
    instanceId: input.instance_id,
    ready: 0,
    reach: input.reach,
    reached: null,
    tunnelUrl: null,
    drainRequestedAt: null,
    drainDeadlineAt: null,
    cpuPercent: null,
    memoryUsageMb: null,
    diskUsageMb: null,
    ipAddress: input.ip_address ?? null,
    version: input.version ?? null,
    createdAt: now,
    updatedAt: now,
    lastHeartbeat: now,
  };
}

/** Returns the wire form of a session that a registering worker still holds. */
export function renderHeldSession(
  { id, fencingToken, status }: LeasedSession,
): HeldSessionWire {
  return {
    session_id: id,
    fencing_token: fencingToken,
    status: status === "running" ? status : "starting",
  };
}

/** The problem of a name or id that belongs to another worker. */
export function workerInUse(name: string): GridError {
  return new GridError(
    workerProblems.worker_in_use,
    `Cannot register worker "${name}": its name or id belongs to another worker, expected free ones, or that worker's secret and work pool`,
  );
}

/** The problem of a pool that has its maximum number of workers. */
export function poolFull(pool: string, max: number): GridError {
  return new GridError(
    workerProblems.pool_full,
    `Cannot register the worker: work pool "${pool}" has ${max} workers already, expected fewer than its max_workers`,
  );
}

/** The problem of a worker whose provider is not the pool's. */
export function providerMismatch(
  requested: string,
  { name, providerType }: Pick<Pool, "name" | "providerType">,
): GridError {
  return new GridError(
    poolProblems.provider_mismatch,
    `Cannot serve work pool "${name}" with provider "${requested}": its provider is "${providerType}", expected the same`,
  );
}
