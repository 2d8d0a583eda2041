import { MAX_COUNTED } from "./store_waiting.ts";

/** What is known of a session that waits for a worker. */
export interface Waiting {
  /** Name of its work pool. */
  readonly pool: string;
  readonly status: string;
  readonly maxSessions: number | null;
  readonly isWorkerOnline: 0 | 1;
  /** Sessions that its key may still hold; large without a limit. */
  readonly leftOfKey: number;
  /** Sessions that its pool may still hold; null without a limit. */
  readonly leftOfPool: number | null;
  /** Sessions that its pool could start at once. Of one session only, as the next two. */
  readonly room?: number;
  /** Sessions of higher priority, or as high and older. */
  readonly ahead?: number;
  /** Sessions of the queue that were counted. */
  readonly counted?: number;
}

/** Returns why a session waits, for people. */
export function renderWaiting(waiting: Waiting): string {
  const why = reasonFor(waiting);
  const place = placeIn(waiting);
  return place === undefined ? why : `${why}; ${place}`;
}

function reasonFor(
  { pool, status, isWorkerOnline, leftOfKey, leftOfPool, ...rest }: Waiting,
): string {
  if (status !== "active") return `its work pool "${pool}" is ${status}`;
  if (!isWorkerOnline) return `no worker of its work pool "${pool}" is online`;
  if (leftOfKey <= 0) return "its key has all its max_sessions";
  if (leftOfPool !== null && leftOfPool <= 0) {
    return `its work pool "${pool}" has all its max_sessions of ${rest.maxSessions}`;
  }
  if (rest.room === undefined) return `it waits in work pool "${pool}"`;
  return rest.room > 0
    ? `a worker of its work pool "${pool}" has room for another session`
    : `all workers of its work pool "${pool}" are busy`;
}

function placeIn({ ahead, counted = 0 }: Waiting): string | undefined {
  if (ahead === undefined) return undefined;
  return counted < MAX_COUNTED
    ? `it is number ${ahead + 1} in the queue`
    : `${MAX_COUNTED} sessions or more wait in the queue`;
}
