import {
  type BrowserProcess,
  parseProcessType,
} from "../../kit/process_faults.ts";
import { readProcessStat, readProcFile } from "./process_stat.ts";

/** A process with its start time, which distinguishes it from a later one with the same id. */
interface FoundProcess extends BrowserProcess {
  readonly start: string;
}

/** A process and its descendants. Linux only. */
export class ProcessTree {
  readonly #leader: number;
  /** Processes of the last scan, whose type is not read again. */
  #known: ReadonlyMap<number, FoundProcess> = new Map();

  /** @param leader Id of the browser's first process. */
  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Returns the current processes, the leader first. Reads a few files of `/proc` for each. */
  list(): readonly BrowserProcess[] {
    if (Deno.build.os !== "linux") return [];
    const found = this.#from(this.#leader, 0);
    this.#known = new Map(found.map((each) => [each.pid, each]));
    return found;
  }

  #from(pid: number, parent: number): readonly FoundProcess[] {
    const stat = readProcessStat(pid);
    if (!stat) return [];
    const { start, state } = stat;
    const known = this.#known.get(pid);
    // A process that is forked from a zygote first has the zygote's command line.
    const isKnown = known?.start === start && known.type !== "zygote";
    const type = isKnown ? known.type : readType(pid);
    return [
      { pid, parent, state, start, type },
      ...listChildren(pid).flatMap((child) => this.#from(child, pid)),
    ];
  }
}

/** Returns the type of a process; also empty if it has ended. */
function readType(pid: number): string {
  return parseProcessType(readProcFile(`/proc/${pid}/cmdline`));
}

/** Returns the children of a process. @see {@link https://man7.org/linux/man-pages/man5/proc_pid_task.5.html proc_pid_task(5)} */
function listChildren(pid: number): readonly number[] {
  return readProcFile(`/proc/${pid}/task/${pid}/children`).split(" ").map(
    Number,
  )
    .filter((child) => child > 0);
}
