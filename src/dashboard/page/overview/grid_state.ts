import type {
  PoolWire,
  Pressure,
  SessionWire,
  WorkerWire,
} from "../../../client/client.ts";
import { isAdmin } from "../api/access.ts";
import { client } from "../api/client.ts";

/** Most pools whose load is loaded. */
const MAX_POOLS = 50;

/** Most sessions of a list. */
const MAX_LISTED = 500;

/** A pool with its load. */
export interface PoolLoad {
  readonly pool: PoolWire;
  readonly load: Pressure;
}

/** A pending session with its place in the queue of its pool. */
export interface QueuedSession {
  readonly session: SessionWire;
  /** Undefined if more sessions wait than were loaded. */
  readonly place: number | undefined;
}

/** The grid as the overview shows it. */
export interface GridState {
  readonly counts: Readonly<Record<"pending" | "starting" | "running", number>>;
  /** True if there are more sessions than were counted. */
  readonly isPartial: boolean;
  readonly queue: readonly QueuedSession[];
  /** Empty for visitors who may not see pools. */
  readonly pools: readonly PoolLoad[];
  readonly workers: readonly WorkerWire[];
}

/** Loads the state of the grid, for clients the state of their sessions. */
export async function loadGridState(signal: AbortSignal): Promise<GridState> {
  return await (isAdmin() ? loadGrid(signal) : loadOwn(signal));
}

async function loadGrid(signal: AbortSignal): Promise<GridState> {
  const [{ items: listed }, { items: workers }, pending] = await Promise.all([
    client.listPools({ limit: MAX_POOLS }, { signal }),
    client.listWorkers({ limit: MAX_LISTED }, { signal }),
    client.listSessions({ status: "pending", limit: MAX_LISTED }, { signal }),
  ]);
  const pools = await Promise.all(
    listed.map(async (pool) => ({
      pool,
      load: await client.getPoolPressure(pool.id, { signal }),
    })),
  );
  const sum = (name: "pending" | "starting" | "running") =>
    pools.reduce((total, { load }) => total + load[name], 0);
  return {
    counts: {
      pending: sum("pending"),
      starting: sum("starting"),
      running: sum("running"),
    },
    isPartial: listed.length >= MAX_POOLS,
    queue: orderQueue(pending.items, { isWhole: !pending.next_cursor }),
    pools,
    workers,
  };
}

async function loadOwn(signal: AbortSignal): Promise<GridState> {
  const { items, next_cursor } = await client.listSessions({
    status: "pending,starting,running",
    limit: MAX_LISTED,
  }, { signal });
  const count = (status: string) =>
    items.filter((session) => session.status === status).length;
  return {
    counts: {
      pending: count("pending"),
      starting: count("starting"),
      running: count("running"),
    },
    isPartial: Boolean(next_cursor),
    // Sessions of other keys, which this one does not see, may be before its own.
    queue: orderQueue(items.filter(({ status }) => status === "pending"), {
      isWhole: false,
    }),
    pools: [],
    workers: [],
  };
}

/** Orders pending sessions as they start: by priority, then by age. */
function orderQueue(
  sessions: readonly SessionWire[],
  { isWhole }: { readonly isWhole: boolean },
): readonly QueuedSession[] {
  const ordered = sessions.toSorted((one, other) =>
    other.priority - one.priority ||
    Date.parse(one.created_at) - Date.parse(other.created_at)
  );
  const places = new Map<string, number>();
  return ordered.map((session) => {
    const place = (places.get(session.work_pool_id) ?? 0) + 1;
    places.set(session.work_pool_id, place);
    return { session, place: isWhole ? place : undefined };
  });
}
