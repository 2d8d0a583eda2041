import type { Clock } from "../async/clock.ts";
import type { RunningBrowser } from "../core/provider.ts";

/** Time that a start may take to end after its signal was aborted. */
const ABANDON_AFTER_MS = 15_000;

/**
 * Waits for a start, and abandons it if it has not ended 15 s after `signal` was aborted.
 *
 * If an abandoned start still produces a browser, the browser is stopped. If it never ends, the host's sweep removes its
 * remains.
 *
 * @throws The error of the start, or the signal's reason if it was abandoned.
 */
export async function abandonOnAbort(
  starting: Promise<RunningBrowser>,
  signal: AbortSignal,
  clock: Pick<Clock, "sleep">,
): Promise<RunningBrowser> {
  const settled = new AbortController();
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    const waiting = clock.sleep(ABANDON_AFTER_MS, settled.signal);
    void waiting.then(() => reject(signal.reason), () => {});
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([starting, overdue]);
  } catch (error) {
    void starting.then((browser) => browser.stop(0)).catch(() => {});
    throw error;
  } finally {
    settled.abort();
    signal.removeEventListener("abort", onAbort);
  }
}
