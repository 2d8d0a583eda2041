import type Docker from "dockerode";
import { systemClock } from "../../../async/clock.ts";
import { Semaphore } from "../../../async/semaphore.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import type {
  BrowserExit,
  BrowserStats,
  FollowOptions,
  OutputPart,
  RunningBrowser,
} from "../../../core/provider.ts";
import { probeBrowser } from "../../kit/probe_browser.ts";
import { ProcessFaults } from "../../kit/process_faults.ts";
import { callEngine } from "../engine/call_engine.ts";
import { watchExit } from "./exit.ts";
import { followLogs, readLogs } from "./logs.ts";
import { listContainerProcesses } from "./processes.ts";
import type { ContainerReaper } from "./reaper.ts";
import {
  ContainerCpuMeter,
  isMeasured,
  readDiskBytes,
  readMemoryMb,
  readNetworkBytes,
} from "./stats.ts";

/** Timeout of the request to end a browser. */
const END_TIMEOUT_MS = 5_000;

/** Maximum wait of a stop for the removal of its container. */
const REMOVE_WAIT_MS = 30_000;

/** Interval at which a stop checks for a call with a shorter grace period. */
const POLL_INTERVAL_MS = 100;

/** Timeout of the request for statistics. */
const STATS_TIMEOUT_MS = 5_000;

/** Maximum number of concurrent requests for statistics, so that starts and ends do not wait behind them. */
const MAX_STATS = 8;

const statsRequests = new Semaphore(MAX_STATS);

/** Options of {@linkcode ContainerBrowser}. */
export interface ContainerBrowserParts {
  readonly sessionId: string;
  readonly container: Docker.Container;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  /** Start of the container, in ms since the epoch. */
  readonly startedAt: number;
  /** The host's reaper, which removes the container. */
  readonly reaper: ContainerReaper;
  /** Ends the watching of the container, which continues to run. */
  readonly closed: AbortSignal;
}

/** A browser in a container. */
export class ContainerBrowser implements RunningBrowser {
  readonly sessionId: string;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  readonly exited: Promise<BrowserExit>;
  readonly #container: Docker.Container;
  readonly #reaper: ContainerReaper;
  readonly #cpu: ContainerCpuMeter;
  readonly #faults = new ProcessFaults();
  #killAt = Infinity;
  #hasExited = false;
  #stopping: Promise<void> | undefined;

  constructor(parts: ContainerBrowserParts) {
    this.sessionId = parts.sessionId;
    this.endpoint = parts.endpoint;
    this.details = parts.details;
    this.#container = parts.container;
    this.#reaper = parts.reaper;
    this.#cpu = new ContainerCpuMeter(parts.startedAt);
    this.exited = watchExit(
      parts.container,
      () => this.#killAt !== Infinity,
      parts.closed,
    );
    void this.exited.then(() => this.#hasExited = true);
  }

  /** Ends the browser. A later call can shorten the grace period. */
  stop(graceMs: number): Promise<void> {
    this.#killAt = Math.min(
      this.#killAt,
      systemClock.monotonic() + graceMs,
    );
    // The next call retries a failed removal.
    this.#stopping ??= this.#stop().catch((error) => {
      this.#stopping = undefined;
      throw error;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#graceLeftMs() > 0 && await this.#requestEnd()) {
      while (!this.#hasExited && this.#graceLeftMs() > 0) {
        await settleWithin(
          this.exited,
          Math.min(POLL_INTERVAL_MS, this.#graceLeftMs()),
        );
      }
    }
    await this.#reaper.remove(this.#container.id, REMOVE_WAIT_MS);
  }

  #graceLeftMs(): number {
    return this.#killAt - systemClock.monotonic();
  }

  /** Asks the browser to end, and reports whether the request succeeded. */
  #requestEnd(): Promise<boolean> {
    return callEngine(
      (abortSignal) => this.#container.kill({ signal: "SIGTERM", abortSignal }),
      { timeoutMs: END_TIMEOUT_MS },
    ).then(() => true, () => false);
  }

  async probe(signal: AbortSignal): Promise<void> {
    await probeBrowser(this, signal);
    const processes = await listContainerProcesses(this.#container, signal);
    const fault = processes && this.#faults.find(processes);
    if (fault !== undefined) throw new Error(fault);
  }

  async stats(): Promise<BrowserStats> {
    using _place = await statsRequests.acquire(new AbortController().signal);
    const sample = await callEngine((abortSignal) =>
      this.#container.stats({
        stream: false,
        "one-shot": true,
        // The type lacks this option of all other calls.
        ...({ abortSignal }),
      }), { timeoutMs: STATS_TIMEOUT_MS });
    if (!isMeasured(sample)) return {};
    return {
      cpuPercent: this.#cpu.percent(sample),
      memoryMb: readMemoryMb(sample),
      ...readNetworkBytes(sample),
      ...readDiskBytes(sample),
    };
  }

  logs(lines: number): Promise<string> {
    return readLogs(this.#container, lines);
  }

  followLogs(options: FollowOptions): AsyncGenerator<OutputPart, void> {
    return followLogs(this.#container, options);
  }
}
