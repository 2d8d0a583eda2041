import type { Clock } from "../async/clock.ts";
import type { RunningBrowser } from "../core/provider.ts";

/** How long a start may take to end once it is no longer wanted. */
const ABANDON_AFTER_MS = 15_000;

/**
 * Waits for a start. One that `signal` does not end in time is left behind: nothing waits for it any more, and if a
 * browser comes of it after all, that is stopped. What a host that hangs never ends, its sweep does.
 */
export async function abandonOnAbort(
  starting: Promise<RunningBrowser>,
  signal: AbortSignal,
  clock: Pick<Clock, "sleep">,
): Promise<RunningBrowser> {
  const settled = new AbortController();
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    const patience = clock.sleep(ABANDON_AFTER_MS, settled.signal);
    void patience.then(() => reject(signal.reason), () => {});
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
