/**
 * Waits for shared work until `signal` is aborted. The work itself continues, and its later failure is not reported as
 * an unhandled rejection.
 *
 * @throws The signal's reason, or the error of the work.
 */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { promise: abort, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([abort, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Resolves when `signal` is aborted, immediately if it already is. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
