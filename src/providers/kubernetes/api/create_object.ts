import { systemClock } from "../../../async/clock.ts";
import {
  ApiError,
  ConnectionError,
  UncertainError,
  wasNotDone,
} from "./api_error.ts";
import {
  type ApiLimits,
  type ApiRequest,
  findRetryPauseMs,
  type Transport,
} from "./transport.ts";

/** Number of attempts over connections that break. */
const BROKEN_ATTEMPTS = 3;

/** Time within which a creation is repeated. */
const RETRY_WITHIN_MS = 60_000;

/** Pause after a conflict: the first and the longest. */
const CONFLICT_MS = 250;
const MAX_CONFLICT_MS = 5_000;

/**
 * Creates an object, and returns the response; undefined if the object exists.
 *
 * @throws {UncertainError} If the last attempt was rejected, and an earlier one may have created the object.
 * @throws {ApiError | ConnectionError} Or the signal's reason.
 */
export async function createObject(
  transport: Transport,
  request: ApiRequest,
  limits: ApiLimits,
): Promise<string | undefined> {
  const lateAt = systemClock.monotonic() + RETRY_WITHIN_MS;
  let isUncertain = false;
  for (let attempt = 1;; attempt++) {
    try {
      return await transport.send(request, { ...limits, retries: false });
    } catch (error) {
      limits.signal?.throwIfAborted();
      if (isConflict(error, "AlreadyExists")) return undefined;
      const pause = findPauseMs(error, attempt, limits);
      const isLate = systemClock.monotonic() + (pause ?? 0) > lateAt;
      if (pause === undefined || isLate) {
        throw isUncertain && wasNotDone(error)
          ? new UncertainError(error)
          : error;
      }
      isUncertain ||= !wasNotDone(error);
      await systemClock.sleep(pause, limits.signal);
    }
  }
}

/** Returns the pause before the next attempt; undefined if there is none. */
function findPauseMs(
  error: unknown,
  attempt: number,
  { retries = true }: ApiLimits,
): number | undefined {
  // An established connection that breaks may have carried the request: its repetition then finds the object.
  const isBroken = error instanceof ConnectionError && !error.isUnreachable;
  if (isBroken) return attempt < BROKEN_ATTEMPTS ? 0 : undefined;
  if (!retries) return undefined;
  // Another creation has changed the quota of the namespace in between.
  if (isConflict(error, "Conflict")) {
    const pause = CONFLICT_MS * 2 ** Math.min(attempt - 1, 10);
    return Math.min(pause, MAX_CONFLICT_MS) * (1 + 0.2 * Math.random());
  }
  return findRetryPauseMs(error, attempt);
}

function isConflict(error: unknown, reason: string): boolean {
  return error instanceof ApiError && error.status === 409 &&
    error.reason === reason;
}
