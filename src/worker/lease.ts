/** Share of a lease that is given up at its end, so that the worker stops before the server gives the session away. */
const MARGIN = 1 / 6;

/**
 * How long a lease may be trusted, by the worker's own monotonic clock.
 *
 * @param sentAt When the claim or heartbeat was *sent*: the server counts from a later moment.
 */
export function trustedUntil(sentAt: number, ttlMs: number): number {
  return sentAt + ttlMs * (1 - MARGIN);
}
