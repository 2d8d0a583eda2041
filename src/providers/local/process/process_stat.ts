/** Statistics of a process on Linux. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter, such as "S", "T" or "Z". */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** Start time in clock ticks since the boot. */
  readonly start: string;
  /** Used processor time in clock ticks, with the time of the ended processes that it has waited for. */
  readonly ticks: number;
}

/**
 * Returns the statistics of a process; undefined if there is none.
 *
 * Synchronous: the system has them in memory, and dispatching the read to another thread takes ten times as long.
 *
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html proc_pid_stat(5)}
 */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  // The name in front may contain blanks and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent = "", group = ""] = fields;
  if (group === "") return undefined;
  return {
    pid,
    state,
    parent: Number(parent),
    group: Number(group),
    ticks: fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0),
    start: fields[19] ?? "",
  };
}

/** Reports whether a process has not ended. */
export function isAlive({ state }: ProcessStat): boolean {
  return state !== "Z" && state !== "X";
}

/** Returns the text of a file below `/proc`; empty if there is none. */
export function readProcFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
