import { systemClock } from "../../async/clock.ts";
import type {
  BrowserExit,
  BrowserStats,
  FollowOptions,
  OutputPart,
  RunningBrowser,
} from "../../core/provider.ts";
import { closeBrowser } from "../kit/cdp_socket.ts";
import type { Traffic } from "../kit/egress/proxy.ts";
import { probeBrowser } from "../kit/probe_browser.ts";
import { ProcessFaults } from "../kit/process_faults.ts";
import { endGroup } from "./process/process_group.ts";
import type { ProcessMeter, ProcessUse } from "./process/process_meter.ts";
import { ProcessTree } from "./process/process_tree.ts";
import { OutputFile, type OutputLimiter } from "./output_file.ts";
import { type ReadyRecord, removeFolders } from "./record.ts";

/** Grace period of a browser's companions. */
const COMPANION_GRACE_MS = 500;

const STOPPED: BrowserExit = { reason: "stopped", detail: "stopped" };

/** Options of {@linkcode LocalBrowser}. */
export interface LocalBrowserParts {
  readonly record: ReadyRecord;
  readonly folder: string;
  /** Measures the browsers of the host. */
  readonly meter: ProcessMeter;
  /** Limits the files with the output of browsers. */
  readonly outputs?: OutputLimiter | undefined;
  /** Resolves when the process ends; for an adopted one only while its host is open. */
  readonly exit: Promise<BrowserExit>;
  readonly isAdopted: boolean;
  /** True if limits of processors or memory were requested, which this provider does not enforce. */
  readonly isLimited?: boolean;
  /** Path of the unix socket of an isolated browser. */
  readonly socketPath?: string;
  /** Returns the bytes that an isolated browser has received and sent. */
  readonly readTraffic?: () => Traffic;
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
  readonly #output: OutputFile;
  /** Aborted when the browser has ended. */
  readonly #gone = new AbortController();
  #stopping: Promise<void> | undefined;
  #killAt = Infinity;
  #lastUse:
    | (Pick<ProcessUse, "cpuSeconds"> & { readonly at: number })
    | undefined;

  constructor(parts: LocalBrowserParts) {
    const { record } = parts;
    this.#parts = parts;
    this.#processes = new ProcessTree(record.pid);
    this.#output = new OutputFile(parts.folder);
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
    const limit = parts.outputs?.add(this.#output);
    void this.exited.then(() => {
      limit?.[Symbol.dispose]();
      this.#gone.abort();
    });
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

  /**
   * Measures the browser, on Linux. Its network is measured if it is isolated: otherwise it uses the network of the
   * host, which counts no bytes of a process.
   */
  async stats(): Promise<BrowserStats> {
    const { meter, record, readTraffic } = this.#parts;
    const use = await meter.read(record.pid);
    if (!use) return {};
    const { cpuSeconds, memoryMb, ...counters } = use;
    const traffic = readTraffic?.();
    const last = this.#lastUse;
    const at = systemClock.monotonic();
    this.#lastUse = { cpuSeconds, at };
    const seconds = last ? (at - last.at) / 1_000 : 0;
    return {
      memoryMb: Math.round(memoryMb),
      ...counters,
      ...(traffic && {
        networkRxBytes: traffic.rxBytes,
        networkTxBytes: traffic.txBytes,
      }),
      ...(last && seconds > 0
        ? {
          cpuPercent: Math.max(
            0,
            Math.round((cpuSeconds - last.cpuSeconds) / seconds * 1_000) / 10,
          ),
        }
        : {}),
    };
  }

  logs(lines: number): Promise<string> {
    return Promise.resolve(this.#output.readLastLines(lines));
  }

  followLogs(
    { lines, signal }: FollowOptions,
  ): AsyncGenerator<OutputPart, void> {
    return this.#output.follow({
      lines,
      signal: AbortSignal.any([signal, this.#gone.signal]),
    });
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
