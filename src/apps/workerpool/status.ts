/** Statuses of a work pool. Only an `active` one takes sessions and gives them to workers; a `draining` one becomes `inactive` when its last session has ended. */
export const POOL_STATUSES = [
  "active",
  "paused",
  "draining",
  "inactive",
] as const;

export type PoolStatus = (typeof POOL_STATUSES)[number];
