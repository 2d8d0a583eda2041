import process from "node:process";
import { systemClock } from "../../core/clock.ts";

/** How often a group that is being ended is looked at. */
const LOOK_MS = 20;

/** How long a group that is killed may take; one that waits for a disk or a network cannot end. */
const KILL_WAIT_MS = 30_000;

/** A process, told from a later one with the same number. */
export interface MarkedProcess {
  readonly pid: number;
  /** Of {@linkcode startMarkOf}; empty: it had ended before it could be looked at. */
  readonly start_mark: string;
}

/** Whether the process that was marked still runs. */
export async function isRunning(
  { pid, start_mark }: MarkedProcess,
): Promise<boolean> {
  return await startMarkOf(pid) === start_mark;
}

/**
 * Asks the group that `leader` founded to end and kills it when `killAt` is over, a moment of the monotonic clock that
 * may come nearer meanwhile; by default at once. Resolves when nothing of it is left.
 *
 * A group whose number now belongs to another process is left alone.
 *
 * @throws {Error} If it is not gone half a minute after it was killed.
 */
export async function endGroup(
  leader: MarkedProcess,
  killAt: () => number = () => 0,
): Promise<void> {
  // 0 is the caller's own group and 1 everybody.
  if (leader.pid <= 1) {
    throw new RangeError(`Cannot end process group ${leader.pid}`);
  }
  let asked = false;
  let killed = false;
  let giveUpAt = Infinity;
  while (!await isSomebodyElse(leader)) {
    const lives = await groupLives(leader.pid);
    if (!lives && killed) return;
    const now = systemClock.monotonic();
    if (now > giveUpAt) {
      throw new Error(
        `Cannot end process group ${leader.pid}: it was killed and is still there`,
      );
    }
    // A look takes its time: it misses what was started since by one that has ended since. The killed start nothing.
    killed = !lives || now >= killAt();
    if (killed) {
      giveUpAt = Math.min(giveUpAt, now + KILL_WAIT_MS);
      signalGroup(leader.pid, "SIGKILL");
    } else if (!asked) signalGroup(leader.pid, "SIGTERM");
    asked = true;
    if (lives) await systemClock.sleep(LOOK_MS);
  }
}

/** A number is given again only when its process and its whole group are gone. */
async function isSomebodyElse(
  { pid, start_mark }: MarkedProcess,
): Promise<boolean> {
  const mark = await startMarkOf(pid);
  return mark !== undefined && mark !== start_mark;
}

/** Ends the processes of a group; one that is gone is fine. */
function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (Deno.build.os === "windows") {
    new Deno.Command("taskkill", {
      args: ["/PID", String(pid), "/T", "/F"],
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
export async function groupLives(pid: number): Promise<boolean> {
  if (Deno.build.os === "linux") return await someInGroup(pid);
  try {
    return process.kill(Deno.build.os === "windows" ? pid : -pid, 0);
  } catch {
    return false;
  }
}

/**
 * What tells this process from a later one with the same number: the moment of its start, as the system counts it.
 * Undefined: there is no such process, or it has ended.
 */
export async function startMarkOf(pid: number): Promise<string | undefined> {
  if (Deno.build.os === "linux") {
    const stat = await readStat(pid);
    return stat === undefined || stat.state === "Z" ? undefined : stat.start;
  }
  if (Deno.build.os === "windows") {
    return await groupLives(pid) ? "unknown" : undefined;
  }
  const { stdout, success } = await new Deno.Command("ps", {
    args: ["-o", "lstart=", "-p", String(pid)],
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

/** Use of a whole group. Linux only. */
export async function groupStats(
  pid: number,
): Promise<{ readonly ticks: number; readonly memoryMb: number } | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  let ticks = 0;
  let pages = 0;
  for await (const stat of statsOfGroup(pid)) {
    ticks += stat.ticks;
    pages += stat.pages;
  }
  return { ticks, memoryMb: pages * 4 / 1024 };
}

/** What Linux tells of a process. */
export interface Stat {
  readonly state: string;
  readonly group: number;
  readonly start: string;
  readonly ticks: number;
  readonly pages: number;
}

async function someInGroup(pid: number): Promise<boolean> {
  for await (const { state } of statsOfGroup(pid)) {
    if (state !== "Z" && state !== "X") return true;
  }
  return false;
}

async function* statsOfGroup(pid: number): AsyncGenerator<Stat> {
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = /^\d+$/.test(name) ? await readStat(Number(name)) : undefined;
    if (stat?.group === pid) yield stat;
  }
}

/**
 * What the system tells of a process.
 *
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html proc_pid_stat(5)}
 */
export async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  // The name before may have blanks and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", , group = ""] = fields;
  if (group === "") return undefined;
  return {
    state,
    group: Number(group),
    ticks: Number(fields[11]) + Number(fields[12]),
    start: fields[19] ?? "",
    pages: Number(fields[21]),
  };
}
