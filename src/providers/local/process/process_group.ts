import { systemClock } from "../../../async/clock.ts";
import { endOfTurn } from "../../../async/end_of_turn.ts";
import {
  isReused,
  isRunning,
  type ProcessIdentity,
} from "./process_identity.ts";
import { isAlive, type ProcessStat, readProcessStat } from "./process_stat.ts";
import { groupExists, signalGroup } from "./signal_group.ts";

/** Interval at which a group is checked that was asked to end. */
const POLL_INTERVAL_MS = 20;

/** Interval at which a killed group is checked, which is cheap. */
const KILLED_POLL_INTERVAL_MS = 5;

/** Time in which a parent reaps a killed process, if it reaps any. */
const REAP_MS = 60;

/** Number of processes whose statistics are read at once, so that the event loop is not blocked for long. */
const BATCH_SIZE = 64;

/** Timeout of the end of a killed group. A process that waits for a disk or a network cannot end. */
const KILL_WAIT_MS = 30_000;

/**
 * Asks the process group of `leader` to end, kills it at `killAt`, and resolves when none of its processes is left. A
 * group whose id was reused by another process is not touched.
 *
 * @param killAt Returns a moment of the monotonic clock, which may become earlier. By default the group is killed at once.
 * @param ask Asks the group to end, by default with SIGTERM.
 * @throws {Error} If a process is left half a minute after the group was killed.
 */
export async function endGroup(
  leader: ProcessIdentity,
  killAt: () => number = () => 0,
  ask: () => void = () => signalGroup(leader.pid, "SIGTERM"),
): Promise<void> {
  // The id 0 stands for the caller's group, and 1 for all processes.
  if (leader.pid <= 1) {
    throw new RangeError(`Cannot end process group ${leader.pid}`);
  }
  const hasGrace = systemClock.monotonic() < killAt();
  if (hasGrace && !await isReused(leader)) {
    ask();
    await waitForEnd(leader, killAt);
  }
  if (await isReused(leader)) return;
  // Also if the group seems to have ended: the check takes time, and misses processes that were started during it.
  signalGroup(leader.pid, "SIGKILL");
  await waitForKilled(leader);
}

/** Waits for the end of a group, at most until `killAt`. */
async function waitForEnd(
  leader: ProcessIdentity,
  killAt: () => number,
): Promise<void> {
  while (systemClock.monotonic() < killAt()) {
    // While the leader runs, the other processes of the machine need not be searched.
    if (!await isRunning(leader) && !await isGroupAlive(leader.pid)) return;
    await systemClock.sleep(POLL_INTERVAL_MS);
  }
}

/**
 * Waits for the end of a killed group: until its id is unused or, if its processes are not reaped, until all that
 * existed have ended. Killed processes start no others.
 */
async function waitForKilled(leader: ProcessIdentity): Promise<void> {
  const { pid } = leader;
  const killedAt = systemClock.monotonic();
  let members: readonly ProcessStat[] | undefined;
  while (groupExists(pid) && members?.some(isStillAlive) !== false) {
    const ms = systemClock.monotonic() - killedAt;
    if (ms > KILL_WAIT_MS) {
      throw new Error(
        `Cannot end process group ${pid}: it was killed and still exists`,
      );
    }
    if (Deno.build.os === "linux" && ms > REAP_MS) {
      if (!members && await isReused(leader)) return;
      members ??= await listMembers(pid);
    }
    await systemClock.sleep(KILLED_POLL_INTERVAL_MS);
  }
}

/** Reports whether the group has a process that has not ended. */
export async function isGroupAlive(pid: number): Promise<boolean> {
  if (Deno.build.os !== "linux") return groupExists(pid);
  return groupExists(pid) && (await listMembers(pid)).length > 0;
}

/** Returns the processes of a group that have not ended. */
async function listMembers(pid: number): Promise<readonly ProcessStat[]> {
  const stats = await listGroupStats(pid);
  return stats.filter(isAlive);
}

function isStillAlive({ pid, start }: ProcessStat): boolean {
  const now = readProcessStat(pid);
  return now !== undefined && now.start === start && isAlive(now);
}

async function listGroupStats(pid: number): Promise<readonly ProcessStat[]> {
  const found: ProcessStat[] = [];
  const pids = listProcesses();
  for (let at = 0; at < pids.length; at += BATCH_SIZE) {
    for (const each of pids.slice(at, at + BATCH_SIZE)) {
      const stat = readProcessStat(each);
      if (stat?.group === pid) found.push(stat);
    }
    await endOfTurn();
  }
  return found;
}

function listProcesses(): readonly number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name))
    .filter((pid) => pid > 0);
}
