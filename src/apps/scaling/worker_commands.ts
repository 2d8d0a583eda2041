import { GridError } from "../../core/errors.ts";
import type { WorkerManager } from "../workers/manager.ts";

/** Time that the sessions of a drained worker have: longer than any session lives, so that a drain ends none. */
const DRAIN_SECONDS = 10 * 365 * 86_400;

/** Drains a worker, whose sessions continue to their own end. A worker that does not exist is ignored. */
export function drainWorker(
  workers: Pick<WorkerManager, "drain">,
  id: string,
): Promise<void> {
  return ignoreRejection(workers.drain(id, DRAIN_SECONDS));
}

/** Waits for a command to a worker, and ignores that the worker does not exist, or that its state rejects it. */
export async function ignoreRejection(
  command: Promise<unknown>,
): Promise<void> {
  try {
    await command;
  } catch (error) {
    const isRejected = error instanceof GridError && error.kind.status < 500;
    if (!isRejected) throw error;
  }
}
