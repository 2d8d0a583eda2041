/** Where time comes from; tests give their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment; never jumps. For durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: delay,
};

/**
 * A signal that is aborted when `ms` have passed by `clock`, or with the first of `signals`.
 *
 * Unlike `AbortSignal.timeout` it follows a test's clock, and its disposal leaves no timer:
 * whoever still waits on it is released.
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
      waiting.abort();
      over.abort(new DOMException("No longer waited for", "AbortError"));
    },
  };
}

/** Resolves after `ms`; rejects with the signal's reason when it is aborted first. Leaves no timer. */
function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
