import type Docker from "dockerode";
import { systemClock } from "../../../async/clock.ts";
import { probeBrowser } from "../../kit/probe_browser.ts";
import type {
  BrowserExit,
  BrowserStats,
  RunningBrowser,
} from "../../../core/provider.ts";
import { ProcessFaults } from "../../kit/process_faults.ts";
import { readLogs } from "./logs.ts";
import { listContainerProcesses } from "./processes.ts";
import { ContainerCpuMeter, readMemoryMb, readNetworkBytes } from "./stats.ts";
import { callEngine } from "../engine/engine.ts";
import { watchExit } from "./exit.ts";
import type { ContainerReaper } from "./reaper.ts";
import { settleWithin } from "../../../async/settle_within.ts";

/** How long the engine may take to hand a browser the request to end. */
const ASK_TIMEOUT_MS = 5_000;

/** How long a stop waits until its container is gone. */
const REMOVE_WAIT_MS = 30_000;

/** How often a stop looks whether somebody has less patience. */
const LOOK_MS = 100;

const STATS_TIMEOUT_MS = 5_000;

/** What a {@linkcode ContainerBrowser} is made of. */
export interface ContainerBrowserParts {
  readonly sessionId: string;
  readonly container: Docker.Container;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  /** When the container was started. */
  readonly startedAt: number;
  /** Those of its host, which go on with what a stop could not wait for. */
  readonly reaper: ContainerReaper;
  /** Ends the watching of the container, not the container. */
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

  /** A later call with less patience hurries the first. */
  stop(graceMs: number): Promise<void> {
    this.#killAt = Math.min(
      this.#killAt,
      systemClock.monotonic() + graceMs,
    );
    // A removal that failed may be tried again.
    this.#stopping ??= this.#stop().catch((error) => {
      this.#stopping = undefined;
      throw error;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#patience() > 0 && await this.#ask()) {
      while (!this.#hasExited && this.#patience() > 0) {
        await settleWithin(this.exited, Math.min(LOOK_MS, this.#patience()));
      }
    }
    await this.#reaper.remove(this.#container.id, REMOVE_WAIT_MS);
  }

  #patience(): number {
    return this.#killAt - systemClock.monotonic();
  }

  /** Whether it was asked to end. */
  #ask(): Promise<boolean> {
    return callEngine(
      (abortSignal) => this.#container.kill({ signal: "SIGTERM", abortSignal }),
      { timeoutMs: ASK_TIMEOUT_MS },
    ).then(() => true, () => false);
  }

  async probe(signal: AbortSignal): Promise<void> {
    await probeBrowser(this, signal);
    const processes = await listContainerProcesses(this.#container, signal);
    const fault = processes && this.#faults.find(processes);
    if (fault !== undefined) throw new Error(fault);
  }

  async stats(): Promise<BrowserStats> {
    const sample = await callEngine((abortSignal) =>
      this.#container.stats({
        stream: false,
        "one-shot": true,
        // The type lacks the option that every other call has.
        ...({ abortSignal }),
      }), { timeoutMs: STATS_TIMEOUT_MS });
    return {
      cpuPercent: this.#cpu.percent(sample),
      memoryMb: readMemoryMb(sample),
      ...readNetworkBytes(sample),
    };
  }

  logs(lines: number): Promise<string> {
    return readLogs(this.#container, lines);
  }
}
