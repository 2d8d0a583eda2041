/** Statuses of a worker. A `busy` worker is at capacity; a `failed` worker runs, but cannot use its provider. */
export const WORKER_STATUSES = [
  "online",
  "busy",
  "draining",
  "offline",
  "failed",
] as const;

/** Status of a worker. */
export type WorkerStatus = (typeof WORKER_STATUSES)[number];
