/** A process of a browser or of its helpers. */
export interface BrowserProcess {
  readonly pid: number;
  readonly parent: number;
  /** One letter, as in `/proc/PID/stat`: "S", "T", "Z". */
  readonly state: string;
  /** Result of {@linkcode parseProcessType}. */
  readonly type: string;
}

/** State of a process that was stopped by a signal. A debugger's stop is "t", which does not count. */
const STOPPED = "T";
const ENDED = /^[ZX]$/;

/**
 * Finds failed processes without which a browser cannot show a page, although its main process responds. The zygotes
 * fork all other processes and are never replaced.
 */
export class ProcessFaults {
  readonly #zygotes = new Set<number>();

  /** Returns the fault of a browser with these processes; undefined if there is none. */
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
    // A process that is being forked looks like its zygote, so only those with children count.
    const parents = new Set(all.map(({ parent }) => parent));
    for (const { pid } of zygotes) {
      if (parents.has(pid)) this.#zygotes.add(pid);
    }
    return undefined;
  }
}

/** Returns the `--type` in a Chromium process's command line; empty for the main process or another program. */
export function parseProcessType(commandLine: string): string {
  return /--type=([a-z-]+)/.exec(commandLine)?.[1] ?? "";
}
