import type Docker from "dockerode";
import { systemClock } from "../../core/clock.ts";
import type {
  BrowserExit,
  BrowserStats,
  RunningBrowser,
} from "../../core/provider.ts";
import { readLogs } from "./container_logs.ts";
import { CpuMeter, memoryMb, networkBytes } from "./container_stats.ts";
import { ask, engineStatus } from "./engine.ts";
import { watchExit } from "./exit.ts";
import { settledWithin } from "../settled_within.ts";

/** How long the removal of a container is tried again when the engine fails. */
const REMOVE_TIMEOUT_MS = 60_000;

const REMOVE_RETRY_MS = 500;

/** What a {@linkcode ContainerBrowser} is made of. */
export interface ContainerBrowserParts {
  readonly sessionId: string;
  readonly container: Docker.Container;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  /** When the container was started. */
  readonly startedAt: number;
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
  readonly #cpu: CpuMeter;
  #wasStopped = false;
  #stopping: Promise<void> | undefined;

  constructor(parts: ContainerBrowserParts) {
    this.sessionId = parts.sessionId;
    this.endpoint = parts.endpoint;
    this.details = parts.details;
    this.#container = parts.container;
    this.#cpu = new CpuMeter(parts.startedAt);
    this.exited = watchExit(
      parts.container,
      () => this.#wasStopped,
      parts.closed,
    );
  }

  stop(graceMs: number): Promise<void> {
    // A removal that failed may be tried again.
    this.#stopping ??= this.#stop(graceMs).catch((error) => {
      this.#stopping = undefined;
      throw error;
    });
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#wasStopped = true;
    const asked = await ask((abortSignal) =>
      this.#container.kill({ signal: "SIGTERM", abortSignal })
    ).then(() => true, () => false);
    if (asked) await settledWithin(this.exited, graceMs);
    await removeContainer(this.#container);
  }

  async stats(): Promise<BrowserStats> {
    const sample = await ask((abortSignal) =>
      this.#container.stats({
        stream: false,
        "one-shot": true,
        // The type lacks the option that every other call has.
        ...({ abortSignal }),
      })
    );
    return {
      cpuPercent: this.#cpu.percent(sample),
      memoryMb: memoryMb(sample),
      ...networkBytes(sample),
    };
  }

  logs(lines: number): Promise<string> {
    return readLogs(this.#container, lines);
  }
}

/** Kills and removes a container, and resolves when it is gone. An engine that fails is asked again for a minute. */
export async function removeContainer(
  container: Docker.Container,
): Promise<void> {
  const start = systemClock.monotonic();
  while (true) {
    try {
      await ask((abortSignal) =>
        container.remove({ force: true, v: true, abortSignal })
      );
      return;
    } catch (error) {
      const status = engineStatus(error);
      if (status === 404) return;
      // 409: somebody else is removing it; that is not the end of it yet.
      if (systemClock.monotonic() - start > REMOVE_TIMEOUT_MS) throw error;
    }
    await systemClock.sleep(REMOVE_RETRY_MS);
  }
}
