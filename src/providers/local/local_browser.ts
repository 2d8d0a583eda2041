import { join } from "node:path";
import { systemClock } from "../../async/clock.ts";
import type {
  BrowserExit,
  BrowserStats,
  RunningBrowser,
} from "../../core/provider.ts";
import { closeBrowser } from "../kit/cdp_socket.ts";
import { probeBrowser } from "../kit/probe_browser.ts";
import { ProcessFaults } from "../kit/process_faults.ts";
import { endGroup, readGroupStats } from "./process/process_group.ts";
import { ProcessTree } from "./process/process_tree.ts";
import { type ReadyRecord, removeFolders } from "./record.ts";

/** Name of the file with a browser's output, in its folder. */
export const OUTPUT_FILE = "output.log";

/** Grace period of a browser's companions. */
const COMPANION_GRACE_MS = 500;

/** Clock ticks per second in Linux's statistics of processes. */
const TICKS_PER_SECOND = 100;

const STOPPED: BrowserExit = { reason: "stopped", detail: "stopped" };

/** Options of {@linkcode LocalBrowser}. */
export interface LocalBrowserParts {
  readonly record: ReadyRecord;
  readonly folder: string;
  /** Resolves when the process ends; for an adopted one only while its host is open. */
  readonly exit: Promise<BrowserExit>;
  readonly isAdopted: boolean;
  /** True if limits of processors or memory were requested, which this provider does not enforce. */
  readonly isLimited?: boolean;
  /** Path of the unix socket of an isolated browser. */
  readonly socketPath?: string;
  /** Resources that end after the browser: the forwarder of its proxy, its display. */
  readonly companions?: AsyncDisposable;
}

/** A browser that runs as a process of this host. */
export class LocalBrowser implements RunningBrowser {
  readonly sessionId: string;
  readonly endpoint: URL;
  readonly socketPath?: string;
  readonly details: Readonly<Record<string, string>>;
  readonly exited: Promise<BrowserExit>;
  readonly #parts: LocalBrowserParts;
  readonly #ended = Promise.withResolvers<BrowserExit>();
  readonly #processes: ProcessTree;
  readonly #faults = new ProcessFaults();
  #stopping: Promise<void> | undefined;
  #killAt = Infinity;
  #lastTicks = 0;
  #lastAt = 0;

  constructor(parts: LocalBrowserParts) {
    const { record } = parts;
    this.#parts = parts;
    this.#processes = new ProcessTree(record.pid);
    this.sessionId = record.session_id;
    this.endpoint = new URL(record.endpoint);
    if (parts.socketPath !== undefined) this.socketPath = parts.socketPath;
    this.details = {
      pid: String(record.pid),
      executable: record.executable,
      ...(parts.isLimited
        ? { limits: "cpu and memory are not enforced by provider local" }
        : {}),
    };
    this.exited = this.#ended.promise;
    void parts.exit.then((end) =>
      this.#ended.resolve(this.#killAt < Infinity ? STOPPED : end)
    );
  }

  /** Ends the browser. A later call can shorten the grace period. */
  stop(graceMs: number): Promise<void> {
    const killAt = systemClock.monotonic() + graceMs;
    this.#killAt = Math.min(this.#killAt, killAt);
    // The next call retries a failure.
    this.#stopping ??= this.#stop().catch((error) => {
      this.#stopping = undefined;
      throw error;
    });
    return this.#stopping;
  }

  async probe(signal: AbortSignal): Promise<void> {
    await probeBrowser(this, signal);
    const fault = this.#faults.find(this.#processes.list());
    if (fault !== undefined) throw new Error(fault);
  }

  async stats(): Promise<BrowserStats> {
    const use = await readGroupStats(this.#parts.record.pid);
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

  logs(lines: number): Promise<string> {
    return readLastLines(this.#parts.folder, lines);
  }

  async #stop(): Promise<void> {
    const { record, folder, exit, isAdopted, companions } = this.#parts;
    const { socketPath } = this;
    await endGroup(
      record,
      () => this.#killAt,
      // A signal would end the box around the browser before the browser.
      socketPath === undefined
        ? undefined
        : () => void closeBrowser(this, this.#killAt - systemClock.monotonic()),
    );
    if (!isAdopted) await exit;
    this.#ended.resolve(STOPPED);
    const killAt = systemClock.monotonic() + COMPANION_GRACE_MS;
    for (const companion of record.companions) {
      await endGroup(companion, () => killAt);
    }
    await companions?.[Symbol.asyncDispose]();
    await removeFolders(folder);
  }
}

/** Returns the last lines of a browser's output. */
export async function readLastLines(
  folder: string,
  lines: number,
): Promise<string> {
  const text = await Deno.readTextFile(join(folder, OUTPUT_FILE)).catch(() =>
    ""
  );
  return text.trimEnd().split("\n").slice(-lines).join("\n").trim();
}
