/** Statuses of a work pool. Only an `active` one takes sessions and gives them to workers. */
export const POOL_STATUSES = [
  "active",
  "paused",
  "draining",
  "inactive",
] as const;

export type PoolStatus = (typeof POOL_STATUSES)[number];
