/** Maximum number of queued sessions that are counted to find a place in the queue. */
export const MAX_COUNTED = 1_000;

/** The state that a pending session waits in. */
export interface QueueState {
  /** Name of the session's work pool. */
  readonly pool: string;
  readonly status: string;
  readonly maxSessions: number | null;
  readonly isWorkerOnline: 0 | 1;
  /** Number of machines with workers of the pool that are requested or start. */
  readonly machinesStarting: number;
  /** 1 if a machine has failed since a worker registered. Only admins see the reason, which names the infrastructure. */
  readonly hasMachineFailed: 0 | 1;
  /** Number of sessions that the key may still hold; large if there is no limit. */
  readonly keyRoom: number;
  /** Number of sessions that the pool may still hold; null if there is no limit. */
  readonly poolRoom: number | null;
  /** Number of sessions that the pool could start now. Only for a single session, like the next two. */
  readonly room?: number;
  /** Number of sessions with a higher priority, or with the same priority and older. */
  readonly ahead?: number;
  /** Number of queued sessions that were counted. */
  readonly counted?: number;
}

/** Returns the reason why a session waits, as a sentence. */
export function renderQueueState(waiting: QueueState): string {
  const why = renderReason(waiting);
  const place = renderPlace(waiting);
  return place === undefined ? why : `${why}; ${place}`;
}

function renderReason(
  { pool, status, isWorkerOnline, keyRoom, poolRoom, ...rest }: QueueState,
): string {
  if (status !== "active") return `its work pool "${pool}" is ${status}`;
  if (!isWorkerOnline) {
    return `no worker of its work pool "${pool}" is online${
      renderMachines(rest)
    }`;
  }
  if (keyRoom <= 0) return "its key has reached its max_sessions";
  if (poolRoom !== null && poolRoom <= 0) {
    return `its work pool "${pool}" has reached its max_sessions of ${rest.maxSessions}`;
  }
  if (rest.room === undefined) return `it waits in work pool "${pool}"`;
  return rest.room > 0
    ? `a worker of its work pool "${pool}" has room for another session`
    : `all workers of its work pool "${pool}" are busy${renderMachines(rest)}`;
}

/** Returns the continuation of a reason for a pool whose machines the server starts. */
function renderMachines(
  { machinesStarting: count, hasMachineFailed }: Pick<
    QueueState,
    "machinesStarting" | "hasMachineFailed"
  >,
): string {
  if (hasMachineFailed) {
    return ', and the last machine failed: "pool pressure" shows admins why';
  }
  if (count === 0) return "";
  return count === 1
    ? ", and a machine starts"
    : `, and ${count} machines start`;
}

function renderPlace({ ahead, counted = 0 }: QueueState): string | undefined {
  if (ahead === undefined) return undefined;
  return counted < MAX_COUNTED
    ? `it is number ${ahead + 1} in the queue`
    : `${MAX_COUNTED} or more sessions wait in the queue`;
}
