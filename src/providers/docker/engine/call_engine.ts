import { abortable } from "../../../async/abortable.ts";
import { Watchdog } from "../../../async/watchdog.ts";

/** Default timeout of a request. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Makes a request to the engine, with a timeout.
 *
 * @throws {Error} The engine's error, a timeout, or the reason of `signal`.
 */
export async function callEngine<T>(
  request: (abortSignal: AbortSignal) => Promise<T>,
  { signal, timeoutMs = REQUEST_TIMEOUT_MS }: {
    readonly signal?: AbortSignal | undefined;
    readonly timeoutMs?: number;
  } = {},
): Promise<T> {
  signal?.throwIfAborted();
  using timeout = new Watchdog(
    timeoutMs,
    (ms) => `Docker engine did not answer within ${ms / 1000} s`,
  );
  const signals = [timeout.signal, ...(signal ? [signal] : [])];
  const either = AbortSignal.any(signals);
  try {
    // Some calls of the client library ignore the signal.
    return await abortable(request(either), either);
  } catch (error) {
    throw either.aborted ? either.reason : error;
  }
}
