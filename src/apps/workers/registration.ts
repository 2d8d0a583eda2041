import { uuidv7 } from "uuidv7";
import { GridError } from "../../core/errors.ts";
import { createLogger } from "../../core/log.ts";
import type { Settings } from "../../core/settings.ts";
import { hashSecret } from "../../http/auth/worker_caller.ts";
import type { LeasedSession } from "../sessions/manager.ts";
import type { Pool } from "../workerpool/manager.ts";
import { poolProblems } from "../workerpool/problems.ts";
import { workerProblems } from "./problems.ts";
import type {
  HeldSessionWire,
  Registration,
  WorkerInput,
  WorkerWire,
} from "./schemas.ts";
import type { WorkerRow } from "./worker.ts";

const log = createLogger("apps", "workers");

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
  const id = input.id ?? uuidv7();
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

/** Returns the times of the settings that a worker needs, for the response. */
export function renderTimes(
  settings: Settings,
): Pick<
  Registration,
  | "lease_ttl_ms"
  | "heartbeat_ms"
  | "metrics_ms"
  | "server_grace_ms"
  | "drain_timeout_ms"
> {
  return {
    lease_ttl_ms: settings.lease_seconds * 1_000,
    heartbeat_ms: settings.heartbeat_seconds * 1_000,
    metrics_ms: settings.metrics_seconds * 1_000,
    server_grace_ms: settings.server_grace_seconds * 1_000,
    drain_timeout_ms: settings.drain_timeout_seconds * 1_000,
  };
}

/** Logs a warning if the server does not support the version of the worker, which may serve nevertheless. */
export function warnIfUnsupported(
  { id, name, version, version_support }: WorkerWire,
  serverVersion: string,
): void {
  if (version_support !== "too_old" && version_support !== "too_new") return;
  log.warn(
    "Worker {name} has version {worker_version}, which a server of version {server_version} does not support: upgrade the older one",
    {
      name,
      worker_id: id,
      worker_version: version,
      server_version: serverVersion,
    },
  );
}

/** Returns the traces of the held sessions, for the response. */
export function renderTraces(
  held: readonly LeasedSession[],
): { readonly traces?: Record<string, string> } {
  const traces = held.flatMap(({ id, traceparent }) =>
    traceparent === null ? [] : [[id, traceparent] as const]
  );
  return traces.length > 0 ? { traces: Object.fromEntries(traces) } : {};
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
