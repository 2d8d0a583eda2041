import type { Clock } from "./clock.ts";

/** Reason of disposed signals. Shared, because an exception records its stack, which takes longer than the rest. */
const DISPOSED = new DOMException("No longer waited for", "AbortError");

/**
 * Returns a signal that is aborted after `ms` on `clock`, or with the first of `signals`.
 *
 * Unlike `AbortSignal.timeout` it follows a fake clock. Its disposal clears the timer and aborts the signal, so that
 * callers that still wait for it are released.
 */
export function deadline(
  clock: Pick<Clock, "sleep">,
  ms: number,
  ...signals: readonly AbortSignal[]
): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  const waiting = new AbortController();
  const expire = () =>
    over.abort(
      new DOMException(`Timed out after ${ms / 1_000} s`, "TimeoutError"),
    );
  if (ms <= 0) expire();
  else void clock.sleep(ms, waiting.signal).then(expire, () => {});
  return {
    signal: AbortSignal.any([over.signal, ...signals]),
    [Symbol.dispose]() {
      waiting.abort(DISPOSED);
      over.abort(DISPOSED);
    },
  };
}
