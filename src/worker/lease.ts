/** Share of a lease at its end during which it is no longer trusted, so that the worker stops before the server reassigns. */
const MARGIN = 1 / 6;

/** Time after a session's lifetime in which the worker waits for the server's command: the server may have extended the lifetime. */
const LIFETIME_SLACK_MS = 15_000;

/**
 * Returns the moment until which a lease is trusted, on the worker's monotonic clock.
 *
 * @param sentAt Moment at which the claim or heartbeat was sent: the server counts from a later moment.
 */
export function calculateTrustedUntil(sentAt: number, ttlMs: number): number {
  return sentAt + ttlMs * (1 - MARGIN);
}

/** The worker's knowledge of its right to a session. Moments are those of its monotonic clock. */
export class Lease {
  #trustedUntil: number;
  #isRunning: boolean;
  #expiresAt = Infinity;

  constructor(
    { trustedUntil, isRunning }: {
      readonly trustedUntil: number;
      readonly isRunning: boolean;
    },
  ) {
    this.#trustedUntil = trustedUntil;
    this.#isRunning = isRunning;
  }

  /** True once the server has recorded the session as running. Until then it may assign the session to another worker. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Renews the lease after an accepted report. @param expiresAt End of the session's lifetime, if the response had it. */
  renew(
    { trustedUntil, isRunning, expiresAt = this.#expiresAt }: {
      readonly trustedUntil: number;
      readonly isRunning: boolean;
      readonly expiresAt?: number | undefined;
    },
  ): void {
    this.#trustedUntil = trustedUntil;
    this.#isRunning ||= isRunning;
    this.#expiresAt = expiresAt;
  }

  /**
   * Returns true if the server may have reassigned or ended the session.
   *
   * @param graceMs Time that is added to the lease while the server is unavailable. Applies to running sessions only,
   * which are never reassigned.
   */
  isLost(now: number, graceMs: number): boolean {
    return this.#trustedUntil + (this.#isRunning ? graceMs : 0) < now;
  }

  /** Returns true if the session's lifetime has passed and the server's command to end it is overdue. */
  isPastLifetime(now: number): boolean {
    return this.#expiresAt + LIFETIME_SLACK_MS < now;
  }
}
