import { systemClock } from "../../../async/clock.ts";
import type { BrowserExit } from "../../../core/provider.ts";
import { isRunning, type ProcessIdentity } from "./process_group.ts";

/** How often a process whose end nobody is told is looked at. */
const POLL_INTERVAL_MS = 500;

/**
 * Settles when a process that is not our child has ended.
 *
 * @param signal Ends the watching; the promise then never settles.
 */
export async function watchProcess(
  watched: ProcessIdentity,
  signal: AbortSignal,
): Promise<BrowserExit> {
  while (await isRunning(watched)) {
    await systemClock.sleep(POLL_INTERVAL_MS, signal).catch(() => {});
    if (signal.aborted) return new Promise(() => {});
  }
  return { reason: "crashed", detail: "its process has ended" };
}
