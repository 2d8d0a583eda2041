import { type Stat, statOf, textOf } from "./process_group.ts";

/** A process of a browser, and those that it has started. */
interface BrowserProcess extends Stat {
  readonly type: string;
  readonly children: readonly BrowserProcess[];
}

/** States of `/proc/PID/stat` in which a process does nothing until somebody else acts. A debugger's stop ("t") is not meant. */
const STOPPED = "T";
const ENDED = /^[ZX]$/;

/**
 * Looks for processes without which a browser cannot show a page, though its main process responds. Its zygotes fork all
 * others and are never replaced.
 */
export class ProcessFaults {
  readonly #leader: number;
  readonly #zygotes = new Set<number>();
  /** Processes that were found last, whose type is not read again. */
  #known: ReadonlyMap<number, BrowserProcess> = new Map();

  /** @param leader Id of the process that the browser was started as. */
  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Returns what is wrong; undefined: nothing, or it cannot be told here. Reads a few files of `/proc` for each process. */
  find(): string | undefined {
    if (Deno.build.os !== "linux") return undefined;
    const all = flat(this.#treeOf(this.#leader));
    this.#known = new Map(all.map((each) => [each.pid, each]));
    const zygotes = all.filter(({ type }) => type === "zygote");
    const running = new Set(
      zygotes.filter(({ state }) => !ENDED.test(state)).map(({ pid }) => pid),
    );
    for (const pid of this.#zygotes) {
      if (!running.has(pid)) return "a zygote process has ended";
    }
    if (zygotes.some(({ state }) => state === STOPPED)) {
      return "a zygote process is stopped";
    }
    const pages = all.filter(({ type }) => type === "renderer");
    if (pages.length > 0 && pages.every(({ state }) => state === STOPPED)) {
      return "all its page processes are stopped";
    }
    // A process that is just being forked looks like its zygote; the first of each kind stay.
    for (const { pid, children } of zygotes) {
      if (children.length > 0) this.#zygotes.add(pid);
    }
    return undefined;
  }

  #treeOf(pid: number): readonly BrowserProcess[] {
    const stat = statOf(pid);
    if (!stat) return [];
    const children = childrenOf(pid).flatMap((each) => this.#treeOf(each));
    const known = this.#known.get(pid);
    const isKnown = known?.start === stat.start && known.type !== "zygote";
    return [{ ...stat, type: isKnown ? known.type : typeOf(pid), children }];
  }
}

function flat(
  processes: readonly BrowserProcess[],
): readonly BrowserProcess[] {
  return processes.flatMap((each) => [each, ...flat(each.children)]);
}

/** The `--type` of one of Chromium's processes; empty: it is the main one, another program, or has ended. */
function typeOf(pid: number): string {
  const [, type = ""] =
    /--type=([a-z-]+)/.exec(textOf(`/proc/${pid}/cmdline`)) ??
      [];
  return type;
}

/** @see {@link https://man7.org/linux/man-pages/man5/proc_pid_task.5.html proc_pid_task(5)} */
function childrenOf(pid: number): readonly number[] {
  return textOf(`/proc/${pid}/task/${pid}/children`).split(" ").map(Number)
    .filter((child) => child > 0);
}
