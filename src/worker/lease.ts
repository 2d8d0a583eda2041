/** Share of a lease that is given up at its end, so that the worker stops before the server gives the session away. */
const MARGIN = 1 / 6;

/** How much longer than its life a session is left to the order of the server, which may have prolonged it. */
const LIFETIME_SLACK_MS = 15_000;

/** What a worker knows of its right to a session. Moments of its own monotonic clock. */
export interface Lease {
  /** How long the lease may be trusted. */
  trustedUntil: number;
  /** End of the session's life, as far as it is known. */
  expiresAt: number;
  /** The server has it as running. Until then it may still give it to another worker, whatever runs here. */
  isRunning: boolean;
}

/**
 * How long a lease may be trusted, by the worker's own monotonic clock.
 *
 * @param sentAt When the claim or heartbeat was *sent*: the server counts from a later moment.
 */
export function calculateTrustedUntil(sentAt: number, ttlMs: number): number {
  return sentAt + ttlMs * (1 - MARGIN);
}

/**
 * Whether the server may have given the session up.
 *
 * @param graceMs How much longer it is known to wait while no server is there: only for what it has as running, which is
 * never given to another worker.
 */
export function isLost(lease: Lease, now: number, graceMs: number): boolean {
  return lease.trustedUntil + (lease.isRunning ? graceMs : 0) < now;
}

/** Whether the session is past its life, and no order to end it has come. */
export function isPastLifetime(lease: Lease, now: number): boolean {
  return lease.expiresAt + LIFETIME_SLACK_MS < now;
}
