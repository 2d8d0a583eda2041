import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import { systemClock } from "../../../async/clock.ts";

/** How often a group that was asked to end is looked at. */
const POLL_INTERVAL_MS = 20;

/** How often a group that was killed is looked at, which is cheap. */
const KILLED_POLL_INTERVAL_MS = 5;

/** How soon it is noticed that a killed process has ended, where somebody does. */
const REAP_MS = 60;

/** Processes that are looked at in one go, so that a look among thousands keeps nobody waiting. */
const BATCH_SIZE = 64;

/** How long a group that is killed may take; one that waits for a disk or a network cannot end. */
const KILL_WAIT_MS = 30_000;

/** A process, told from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Of {@linkcode readStartTime}; empty: it had ended before it could be looked at. */
  readonly start_mark: string;
}

/** Whether the process that was marked still runs. */
export async function isRunning(
  { pid, start_mark }: ProcessIdentity,
): Promise<boolean> {
  return await readStartTime(pid) === start_mark;
}

/**
 * Asks the group that `leader` founded to end and kills it when `killAt` is over, a moment of the monotonic clock that
 * may come nearer meanwhile; by default at once. Resolves when nothing of it is left.
 *
 * `ask` requests its end, by default with SIGTERM.
 *
 * A group whose number now belongs to another process is left alone.
 *
 * @throws {Error} If it is not gone half a minute after it was killed.
 */
export async function endGroup(
  leader: ProcessIdentity,
  killAt: () => number = () => 0,
  ask: () => void = () => signalGroup(leader.pid, "SIGTERM"),
): Promise<void> {
  // 0 is the caller's own group and 1 everybody.
  if (leader.pid <= 1) {
    throw new RangeError(`Cannot end process group ${leader.pid}`);
  }
  const isWorthAsking = systemClock.monotonic() < killAt();
  if (isWorthAsking && !await isReused(leader)) {
    ask();
    await waitForEnd(leader, killAt);
  }
  if (await isReused(leader)) return;
  // Also what seems to have ended: a look takes its time, and misses what was started since by one that has ended since.
  signalGroup(leader.pid, "SIGKILL");
  await waitForKilled(leader);
}

/** Waits until nobody of a group is left, but only until `killAt`. */
async function waitForEnd(
  leader: ProcessIdentity,
  killAt: () => number,
): Promise<void> {
  while (systemClock.monotonic() < killAt()) {
    // While its leader runs there is no need to look among all processes of the machine.
    if (!await isRunning(leader) && !await isGroupAlive(leader.pid)) return;
    await systemClock.sleep(POLL_INTERVAL_MS);
  }
}

/**
 * Waits until nobody of a killed group is left. That is when it has lost its number, or, where nobody takes notice of
 * processes that have ended, when all have ended that were there: the killed start nothing.
 */
async function waitForKilled(leader: ProcessIdentity): Promise<void> {
  const { pid } = leader;
  const killedAt = systemClock.monotonic();
  let members: readonly ProcessStat[] | undefined;
  while (groupExists(pid) && members?.some(isStillAlive) !== false) {
    const ms = systemClock.monotonic() - killedAt;
    if (ms > KILL_WAIT_MS) {
      throw new Error(
        `Cannot end process group ${pid}: it was killed and is still there`,
      );
    }
    if (Deno.build.os === "linux" && ms > REAP_MS) {
      if (!members && await isReused(leader)) return;
      members ??= await listMembers(pid);
    }
    await systemClock.sleep(KILLED_POLL_INTERVAL_MS);
  }
}

/** A number is given again only when its process and its whole group are gone. */
async function isReused(
  { pid, start_mark }: ProcessIdentity,
): Promise<boolean> {
  const mark = await readStartTime(pid);
  return mark !== undefined && mark !== start_mark;
}

/** Ends the processes of a group; one that is gone is fine. */
function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (Deno.build.os === "windows") {
    new Deno.Command("taskkill", {
      args: ["/PID", String(pid), "/T", "/F"],
      clearEnv: true,
      env: createChildEnvironment(),
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody of it is left.
  }
}

/** Whether a process of the group is left that has not ended. */
export async function isGroupAlive(pid: number): Promise<boolean> {
  if (Deno.build.os !== "linux") return groupExists(pid);
  return groupExists(pid) && (await listMembers(pid)).length > 0;
}

/** Whether a group has its number still; it may be that of processes that have ended. */
function groupExists(pid: number): boolean {
  try {
    return process.kill(Deno.build.os === "windows" ? pid : -pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * What tells this process from a later one with the same number: the moment of its start, as the system counts it.
 * Undefined: there is no such process, or it has ended.
 */
export async function readStartTime(pid: number): Promise<string | undefined> {
  if (Deno.build.os === "linux") {
    const stat = readProcessStat(pid);
    return stat === undefined || stat.state === "Z" ? undefined : stat.start;
  }
  if (Deno.build.os === "windows") {
    return await isGroupAlive(pid) ? "unknown" : undefined;
  }
  const { stdout, success } = await new Deno.Command("ps", {
    args: ["-o", "lstart=", "-p", String(pid)],
    clearEnv: true,
    env: createChildEnvironment(),
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

/** Use of a whole group. Linux only. */
export async function readGroupStats(
  pid: number,
): Promise<{ readonly ticks: number; readonly memoryMb: number } | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  let ticks = 0;
  let pages = 0;
  for (const stat of await listGroupStats(pid)) {
    ticks += stat.ticks;
    pages += stat.pages;
  }
  return { ticks, memoryMb: pages * 4 / 1024 };
}

/** What Linux tells of a process. */
export interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  readonly group: number;
  readonly start: string;
  readonly ticks: number;
  readonly pages: number;
}

/** Those of a group that have not ended. */
async function listMembers(pid: number): Promise<readonly ProcessStat[]> {
  const stats = await listGroupStats(pid);
  return stats.filter(isAlive);
}

function isStillAlive({ pid, start }: ProcessStat): boolean {
  const now = readProcessStat(pid);
  return now !== undefined && now.start === start && isAlive(now);
}

function isAlive({ state }: ProcessStat): boolean {
  return state !== "Z" && state !== "X";
}

async function listGroupStats(pid: number): Promise<readonly ProcessStat[]> {
  const found: ProcessStat[] = [];
  const pids = listProcesses();
  for (let at = 0; at < pids.length; at += BATCH_SIZE) {
    for (const each of pids.slice(at, at + BATCH_SIZE)) {
      const stat = readProcessStat(each);
      if (stat?.group === pid) found.push(stat);
    }
    await nextTurn();
  }
  return found;
}

function listProcesses(): readonly number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name))
    .filter((pid) => pid > 0);
}

/**
 * What the system tells of a process.
 *
 * Read at once: the system has the answer in its memory, and to leave it to another thread costs ten times as much.
 *
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html proc_pid_stat(5)}
 */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  // The name before may have blanks and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", , group = ""] = fields;
  if (group === "") return undefined;
  return {
    pid,
    state,
    group: Number(group),
    ticks: Number(fields[11]) + Number(fields[12]),
    start: fields[19] ?? "",
    pages: Number(fields[21]),
  };
}

/** Empty: there is no such file, or no longer. */
export function readProcFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
