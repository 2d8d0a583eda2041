/** Statuses of a work pool. Only an `active` one takes sessions and gives them to workers; a `draining` one becomes `inactive` when its last session has ended. */
export const POOL_STATUSES = [
  "active",
  "paused",
  "draining",
  "inactive",
] as const;

export type PoolStatus = (typeof POOL_STATUSES)[number];

/** Values of a pool's `egress`. `auto` means `no_private` for sessions of client keys, and `open` for all others. */
export const POOL_EGRESS = ["auto", "open", "no_private", "none"] as const;

export type PoolEgress = (typeof POOL_EGRESS)[number];
