/** Statuses of a worker. `busy` is at capacity; `failed` is alive, but its provider is not usable. */
export const WORKER_STATUSES = [
  "online",
  "busy",
  "draining",
  "offline",
  "failed",
] as const;

export type WorkerStatus = (typeof WORKER_STATUSES)[number];
