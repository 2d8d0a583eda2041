import { withoutPassword } from "../../core/browser_spec.ts";
import type { Role } from "../../core/caller.ts";
import {
  createRowRenderer,
  toColumns,
  toIsoTime,
} from "../../http/wire_form.ts";
import type { workPools } from "./models.ts";
import type { MachineStatus } from "./status.ts";
import {
  type PoolInput,
  poolInputSchema,
  poolSchema,
  type PoolWire,
  type Pressure,
} from "./schemas.ts";

/** A work pool. `defaultProxy`, `defaultEnvironment` and `providerSecrets` are secret: {@linkcode renderPool} leaves them out. */
export type Pool = Readonly<typeof workPools.$inferSelect>;

/** The columns that a request sets. */
export type PoolFields = Omit<Pool, "id" | "createdAt" | "updatedAt">;

/** A request whose configuration is checked and free of secrets. */
export interface CheckedPoolInput extends PoolInput {
  readonly provider_secrets: Readonly<Record<string, string>> | null;
}

/** The counts of a pool that decide how many workers it needs. */
export interface PoolLoadCounts {
  readonly pool: Pool;
  readonly pending: number;
  readonly starting: number;
  readonly running: number;
  readonly workersOnline: number;
  /** Number of sessions that the online workers may hold. */
  readonly capacity: number;
}

/** A pool and its load. */
export interface PoolPressure extends PoolLoadCounts {
  readonly ready: number;
  readonly oldestPendingAt: number | null;
  /** Machines by status; those without a machine are absent. */
  readonly machines: Readonly<Partial<Record<MachineStatus, number>>>;
  /** Reason of the last failure of a machine, in the words of the infrastructure. */
  readonly machineFailure: string | null;
  readonly machineFailureAt: number | null;
}

/** Values of {@linkcode renderPressure} that are not of the load. */
export interface PressureContext {
  readonly now: number;
  /** Number of workers that the pool needs. */
  readonly wanted: number;
  /** True if the server starts the machines of the pool's workers. */
  readonly hasMachines: boolean;
  /** Role of the caller. Only admins see reasons of failures. */
  readonly role: Role | undefined;
}

const renderInput = createRowRenderer(poolInputSchema);
const renderRow = createRowRenderer(poolSchema);

/** Returns the columns that a request sets. */
export function toPoolFields(input: CheckedPoolInput): PoolFields {
  return toColumns(input);
}

/** Returns the request that would create `pool`, to which a partial change is applied. */
export function toPoolInput(pool: Pool): PoolInput {
  return renderInput({ ...pool, providerConfig: toFullConfig(pool) });
}

/** Returns the configuration of a pool's provider with its secrets. */
export function toFullConfig(
  { providerConfig, providerSecrets }: Pick<
    Pool,
    "providerConfig" | "providerSecrets"
  >,
): Pool["providerConfig"] {
  return { ...providerConfig, ...providerSecrets };
}

/** Returns the wire form of a pool, without its secrets. Only admins see the configuration of its provider. */
export function renderPool(pool: Pool, role: Role): PoolWire {
  const { defaultProxy: proxy, defaultEnvironment: environment } = pool;
  return renderRow({
    ...pool,
    providerConfig: role === "admin" ? pool.providerConfig : {},
    providerSecrets: role === "admin"
      ? Object.keys(pool.providerSecrets ?? {})
      : [],
    defaultProxy: proxy && withoutPassword(proxy),
    defaultEnvironment: environment && Object.keys(environment),
  });
}

/** Returns the wire form of a pool's load. */
export function renderPressure(
  load: PoolPressure,
  context: PressureContext,
): Pressure {
  const { pool, oldestPendingAt } = load;
  return {
    work_pool_id: pool.id,
    status: pool.status,
    pending: load.pending,
    starting: load.starting,
    running: load.running,
    max_sessions: pool.maxSessions,
    max_queue: pool.maxQueue,
    workers_online: load.workersOnline,
    capacity: load.capacity,
    oldest_pending_seconds: oldestPendingAt === null
      ? null
      : Math.max(0, (context.now - oldestPendingAt) / 1_000),
    ready: load.ready,
    min_ready: pool.minReady,
    wanted_workers: context.wanted,
    machines: renderMachines(load, context),
  };
}

/** Returns the wire form of a pool's machines; null if the server starts none and has none. */
function renderMachines(
  { machines, machineFailure, machineFailureAt }: PoolPressure,
  { hasMachines, role }: PressureContext,
): Pressure["machines"] {
  if (!hasMachines && Object.keys(machines).length === 0) return null;
  const isShown = role === "admin" && machineFailure !== null &&
    machineFailureAt !== null;
  return {
    requested: machines.requested ?? 0,
    starting: machines.starting ?? 0,
    running: machines.running ?? 0,
    draining: machines.draining ?? 0,
    removing: machines.removing ?? 0,
    last_failure: isShown
      ? { reason: machineFailure, at: toIsoTime(machineFailureAt) }
      : null,
  };
}
