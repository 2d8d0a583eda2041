import { systemClock } from "../../../async/clock.ts";
import { ArmError } from "../arm/arm_error.ts";
import type { ContainerGroups, ReadGroup } from "../arm/container_groups.ts";
import { DELETED, type GroupEnd, readGroupState } from "../group/state.ts";

/** Default pause between two reads of a group, and the longest one. */
const POLL_MS = 1_000;
const MAX_POLL_MS = 10_000;

/** Time for which Azure may not know a group that it has just created and not yet returned. */
const UNKNOWN_MS = 10_000;

/** Options of {@linkcode waitUntilRunning}. */
export interface RunningOptions {
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The error of a group that ends before its browser responds. */
export class GroupEnded extends Error {
  constructor({ detail }: GroupEnd) {
    super(`its container group ended: ${detail}`);
  }
}

/**
 * Reads a group until it runs, and returns its private address. Goes on while Azure does not respond.
 *
 * @throws {GroupEnded} If the group has ended or was deleted.
 * @throws {Error} If the time is over, with what the group waits for; or the reason of the signal.
 */
export async function waitUntilRunning(
  groups: ContainerGroups,
  created: ReadGroup,
  { name, timeoutMs, signal }: RunningOptions,
): Promise<string> {
  const createdAt = systemClock.monotonic();
  let read: ReadGroup | undefined = created;
  let last: string | undefined;
  let isKnown = false;
  while (systemClock.monotonic() < createdAt + timeoutMs) {
    if (read) {
      const state = readGroupState(read.group);
      if (state.phase === "ended") throw new GroupEnded(state);
      if (state.phase === "running" && state.ip) return state.ip;
      last = state.phase === "starting" ? state.detail : "it has no address";
    }
    await systemClock.sleep(
      Math.min(read?.retryAfterMs ?? POLL_MS, MAX_POLL_MS),
      signal,
    );
    try {
      read = await groups.find(name, signal);
      isKnown ||= read !== undefined ||
        systemClock.monotonic() > createdAt + UNKNOWN_MS;
      if (!read && isKnown) throw new GroupEnded(DELETED);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (isFinal(error)) throw error;
      last = String(error);
      read = undefined;
    }
  }
  throw new Error(
    `its container group did not run within ${timeoutMs / 1_000} s${
      last === undefined ? "" : `: ${last}`
    }`,
  );
}

/** Reports whether a repetition of a read cannot succeed. */
function isFinal(error: unknown): boolean {
  return error instanceof GroupEnded ||
    error instanceof ArmError && (error.status === 401 || error.status === 403);
}
