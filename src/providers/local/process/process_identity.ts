import { createChildEnvironment } from "../../kit/child_environment.ts";
import { readProcessStat } from "./process_stat.ts";
import { groupExists } from "./signal_group.ts";

/** A process with its start time, which distinguishes it from a later one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Result of {@linkcode readStartTime}; empty if the process had already ended. The name is part of the record file. */
  readonly start_mark: string;
}

/** Reports whether the process still runs. */
export async function isRunning(
  { pid, start_mark }: ProcessIdentity,
): Promise<boolean> {
  return await readStartTime(pid) === start_mark;
}

/** Reports whether another process has the id, which is reused only after the end of the process and its group. */
export async function isReused(
  { pid, start_mark }: ProcessIdentity,
): Promise<boolean> {
  const time = await readStartTime(pid);
  return time !== undefined && time !== start_mark;
}

/** Returns the start time of a process in the system's format; undefined if there is none or it has ended. */
export async function readStartTime(pid: number): Promise<string | undefined> {
  if (Deno.build.os === "linux") {
    const stat = readProcessStat(pid);
    return stat === undefined || stat.state === "Z" ? undefined : stat.start;
  }
  if (Deno.build.os === "windows") {
    return groupExists(pid) ? "unknown" : undefined;
  }
  const { stdout, success } = await new Deno.Command("ps", {
    args: ["-o", "lstart=", "-p", String(pid)],
    clearEnv: true,
    env: createChildEnvironment(),
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}
