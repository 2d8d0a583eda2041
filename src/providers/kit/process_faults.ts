/** A process of a browser, or of what was started with it. */
export interface BrowserProcess {
  readonly pid: number;
  readonly parent: number;
  /** As in `/proc/PID/stat`, one letter: "S", "T", "Z". */
  readonly state: string;
  /** Of {@linkcode processType}. */
  readonly type: string;
}

/** States in which a process does nothing until another one acts. A debugger's stop ("t") is not meant. */
const STOPPED = "T";
const ENDED = /^[ZX]$/;

/**
 * Finds processes without which a browser cannot show a page, though its main process responds. Its zygotes fork all
 * others and are never replaced.
 */
export class ProcessFaults {
  readonly #zygotes = new Set<number>();

  /** Returns what is wrong with a browser that has these processes; undefined: nothing. */
  find(all: readonly BrowserProcess[]): string | undefined {
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
    const parents = new Set(all.map(({ parent }) => parent));
    for (const { pid } of zygotes) {
      if (parents.has(pid)) this.#zygotes.add(pid);
    }
    return undefined;
  }
}

/** The `--type` of one of Chromium's processes by its command line; empty: it is the main one, or another program. */
export function processType(commandLine: string): string {
  return /--type=([a-z-]+)/.exec(commandLine)?.[1] ?? "";
}
