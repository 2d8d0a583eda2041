/** Statuses of a work pool. Only an `active` pool takes sessions and has workers start them. A `draining` pool becomes `inactive` when its last session has ended. */
export const POOL_STATUSES = [
  "active",
  "paused",
  "draining",
  "inactive",
] as const;

/** Status of a work pool. */
export type PoolStatus = (typeof POOL_STATUSES)[number];

/** Values of a pool's `egress`. `auto` means `no_private` for sessions of client keys, and `open` for all other sessions. */
export const POOL_EGRESS = ["auto", "open", "no_private", "none"] as const;

/** Value of a pool's `egress`. */
export type PoolEgress = (typeof POOL_EGRESS)[number];
