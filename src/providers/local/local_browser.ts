import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import type {
  BrowserExit,
  BrowserStats,
  RunningBrowser,
} from "../../core/provider.ts";
import {
  groupLives,
  groupStats,
  signalGroup,
  startMarkOf,
} from "./process_group.ts";
import { type BrowserRecord, removeFolder } from "./record.ts";

/** File of a browser's output in its folder. */
export const OUTPUT_FILE = "output.log";

/** How often an adopted browser, whose end nobody is told, is looked at. */
const LOOK_MS = 500;

/** How often a group that is being ended is looked at. */
const END_LOOK_MS = 20;

/** Ticks of the processor's clock in a second, as Linux counts for programs. */
const TICKS_PER_SECOND = 100;

/** A browser's record, its folder, and what else ends with it. */
export interface LocalBrowserParts {
  readonly record: BrowserRecord;
  readonly folder: string;
  /** Settles with the end of the process; absent for an adopted one. */
  readonly exit?: Promise<BrowserExit>;
  /** Ended after it: the forwarder of its proxy. */
  readonly companion?: AsyncDisposable | undefined;
}

/** A browser that runs as a process of this host. */
export class LocalBrowser implements RunningBrowser {
  readonly sessionId: string;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  readonly exited: Promise<BrowserExit>;
  readonly #parts: LocalBrowserParts;
  #stopping: Promise<void> | undefined;
  #asked = false;
  #lastTicks = 0;
  #lastAt = 0;

  constructor(parts: LocalBrowserParts) {
    const { record } = parts;
    this.#parts = parts;
    this.sessionId = record.session_id;
    this.endpoint = new URL(record.endpoint);
    this.details = { pid: String(record.pid), executable: record.executable };
    const exit = parts.exit ?? watchProcess(record);
    this.exited = exit.then((end) =>
      this.#asked ? { reason: "stopped", detail: "stopped" } : end
    );
  }

  stop(graceMs: number): Promise<void> {
    this.#asked = true;
    this.#stopping ??= this.#stop(graceMs);
    // A later call with less patience hurries the first.
    if (graceMs === 0) signalGroup(this.#parts.record.pid, "SIGKILL");
    return this.#stopping;
  }

  async stats(): Promise<BrowserStats> {
    const use = await groupStats(this.#parts.record.pid);
    if (!use) return {};
    const now = systemClock.monotonic();
    const seconds = (now - this.#lastAt) / 1_000;
    const ticks = use.ticks - this.#lastTicks;
    const isFirst = this.#lastAt === 0;
    this.#lastTicks = use.ticks;
    this.#lastAt = now;
    return {
      memoryMb: Math.round(use.memoryMb),
      ...(isFirst ? {} : {
        cpuPercent: Math.max(
          0,
          Math.round(ticks / TICKS_PER_SECOND / seconds * 100),
        ),
      }),
    };
  }

  async logs(lines: number): Promise<string> {
    return await lastLines(this.#parts.folder, lines);
  }

  async #stop(graceMs: number): Promise<void> {
    const { record, folder, companion } = this.#parts;
    await endGroup(record.pid, graceMs);
    for (const { pid, start_mark } of record.companions) {
      if (await startMarkOf(pid) === start_mark) await endGroup(pid, 500);
    }
    await this.exited;
    await companion?.[Symbol.asyncDispose]();
    await removeFolder(folder);
  }
}

/** Asks a process group to end, kills it after `graceMs`. Resolves when nothing of it is left. */
export async function endGroup(pid: number, graceMs: number): Promise<void> {
  const deadline = systemClock.monotonic() + graceMs;
  signalGroup(pid, graceMs > 0 ? "SIGTERM" : "SIGKILL");
  while (await groupLives(pid)) {
    if (systemClock.monotonic() > deadline) signalGroup(pid, "SIGKILL");
    await systemClock.sleep(END_LOOK_MS);
  }
}

/** The end of a browser's output. */
export async function lastLines(
  folder: string,
  lines: number,
): Promise<string> {
  const text = await Deno.readTextFile(join(folder, OUTPUT_FILE)).catch(() =>
    ""
  );
  return text.split("\n").slice(-lines).join("\n").trim();
}

/** Settles when a process that is not our child has ended. */
async function watchProcess(record: BrowserRecord): Promise<BrowserExit> {
  while (await startMarkOf(record.pid) === record.start_mark) {
    await systemClock.sleep(LOOK_MS);
  }
  return { reason: "crashed", detail: "its process has ended" };
}
