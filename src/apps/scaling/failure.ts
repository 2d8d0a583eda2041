import { redactKeys } from "../../core/redact.ts";
import { toMessage } from "../../core/log.ts";
import { truncate } from "../../core/text.ts";
import { MachineStartError } from "../../core/provider/machines.ts";

/** Maximum length of a reason, which events and responses contain. */
const MAX_REASON = 500;

/** Pause after the first failure; it doubles with each further one. */
const FIRST_PAUSE_MS = 5_000;

/** Maximum pause of the server's own choice. */
const MAX_PAUSE_MS = 5 * 60_000;

/** Maximum pause that the infrastructure can request. */
const MAX_REQUESTED_MS = 3_600_000;

/** Largest difference between the clocks of two servers. A failure further ahead is from before a clock was set back. */
export const MAX_AHEAD_MS = 60_000;

/** Time ahead within which a pause ends, unless the clock was set back. */
export const MAX_PAUSE_AHEAD_MS = MAX_REQUESTED_MS + MAX_AHEAD_MS;

/** Returns the text of a failure for events, responses and logs: without keys, and of limited length. */
export function toReason(failure: unknown): string {
  const text = typeof failure === "string" ? failure : toMessage(failure);
  return truncate(redactKeys(text), MAX_REASON);
}

/** Reports whether a pool starts no machine yet, after a failure. A pause from before the clock was set back has ended. */
export function isPaused(
  { retryAt, lastFailureAt }: {
    readonly retryAt: number | null;
    readonly lastFailureAt: number | null;
  },
  now: number,
): boolean {
  if (retryAt === null || retryAt <= now) return false;
  return retryAt <= now + MAX_PAUSE_AHEAD_MS &&
    (lastFailureAt ?? 0) <= now + MAX_AHEAD_MS;
}

/**
 * Returns the pause after a failed start, in milliseconds: as the infrastructure requests, or else 5 s that double with
 * each failure, up to 5 minutes.
 *
 * @param failures Number of failures before this one.
 */
export function choosePause(failure: unknown, failures: number): number {
  if (failure instanceof MachineStartError) {
    const { retryAfterMs = NaN } = failure;
    if (retryAfterMs >= 0) return Math.min(retryAfterMs, MAX_REQUESTED_MS);
  }
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), MAX_PAUSE_MS);
}
