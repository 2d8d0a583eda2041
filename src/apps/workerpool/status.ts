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

/**
 * Statuses of a machine on which a worker of a pool runs.
 *
 * ```text
 * requested --accepted--> starting --its worker registers--> running --drain--> draining
 *     |                      |                                  |                  |
 *     +---- not needed ------+--- failed or too late -----------+--- ended, left --+--> removing --> (no row)
 * ```
 */
export const MACHINE_STATUSES = [
  "requested",
  "starting",
  "running",
  "draining",
  "removing",
] as const;

/** Status of a machine. */
export type MachineStatus = (typeof MACHINE_STATUSES)[number];
