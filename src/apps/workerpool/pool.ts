import { withoutPassword } from "../../core/browser_spec.ts";
import type { Role } from "../../core/caller.ts";
import { createRowRenderer, toColumns } from "../../http/wire_form.ts";
import type { workPools } from "./models.ts";
import {
  type PoolInput,
  poolInputSchema,
  poolSchema,
  type PoolWire,
  type Pressure,
} from "./schemas.ts";

/** A work pool. `defaultProxy` and `defaultEnvironment` are secret: {@linkcode renderPool} leaves them out. */
export type Pool = Readonly<typeof workPools.$inferSelect>;

/** The columns that a request sets. */
export type PoolFields = Omit<Pool, "id" | "createdAt" | "updatedAt">;

/** A pool and its load. */
export interface PoolPressure {
  readonly pool: Pool;
  readonly pending: number;
  readonly starting: number;
  readonly running: number;
  readonly workersOnline: number;
  readonly capacity: number;
  readonly ready: number;
  readonly oldestPendingAt: number | null;
}

const renderInput = createRowRenderer(poolInputSchema);
const renderRow = createRowRenderer(poolSchema);

/** Returns the columns that a request sets. */
export function toPoolFields(input: PoolInput): PoolFields {
  return toColumns(input);
}

/** Returns the request that would create `pool`, to which a partial change is applied. */
export function toPoolInput(pool: Pool): PoolInput {
  return renderInput(pool);
}

/** Returns the wire form of a pool, without its secrets. Only admins see `provider_config`, which may contain some. */
export function renderPool(pool: Pool, role: Role): PoolWire {
  const { defaultProxy: proxy, defaultEnvironment: environment } = pool;
  return renderRow({
    ...pool,
    providerConfig: role === "admin" ? pool.providerConfig : {},
    defaultProxy: proxy && withoutPassword(proxy),
    defaultEnvironment: environment && Object.keys(environment),
  });
}

/** Returns the wire form of a pool's load at `now`. */
export function renderPressure(load: PoolPressure, now: number): Pressure {
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
      : Math.max(0, (now - oldestPendingAt) / 1_000),
    ready: load.ready,
    min_ready: pool.minReady,
  };
}
