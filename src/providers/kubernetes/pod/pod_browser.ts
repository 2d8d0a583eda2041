import type {
  BrowserExit,
  BrowserStats,
  FollowOptions,
  OutputPart,
  RunningBrowser,
} from "../../../core/provider.ts";
import { probeBrowser } from "../../kit/probe_browser.ts";
import type { KubernetesClient } from "../api/client.ts";
import type { PodWatch } from "../api/pod_watch.ts";
import type { PortForwards } from "../api/port_forward.ts";
import { followLogs, readLogs } from "./logs.ts";
import type { PodReaper } from "./reaper.ts";
import type { StartedPod } from "./start.ts";
import { readExit } from "./state.ts";
import { readStats } from "./stats.ts";

/** Maximum wait of a stop for its pod after the grace period. */
const REMOVE_WAIT_MS = 30_000;

/** Options of {@linkcode PodBrowser}. */
export interface PodBrowserParts extends StartedPod {
  readonly sessionId: string;
  readonly details: Readonly<Record<string, string>>;
  readonly client: KubernetesClient;
  readonly watch: PodWatch;
  readonly reaper: PodReaper;
  readonly forwards: PortForwards | undefined;
  /** Ends the watching of the pod, which continues to run. */
  readonly closed: AbortSignal;
}

/** A browser in a pod. */
export class PodBrowser implements RunningBrowser {
  readonly sessionId: string;
  readonly endpoint: URL;
  readonly socketPath?: string;
  readonly details: Readonly<Record<string, string>>;
  readonly exited: Promise<BrowserExit>;
  readonly #parts: PodBrowserParts;
  /** Aborted when the browser has ended. */
  readonly #ended = new AbortController();
  #wasStopped = false;

  constructor(parts: PodBrowserParts) {
    this.sessionId = parts.sessionId;
    this.endpoint = parts.endpoint;
    if (parts.socketPath !== undefined) this.socketPath = parts.socketPath;
    this.details = parts.details;
    this.#parts = parts;
    this.exited = this.#watchExit();
    void this.exited.then(({ detail }) => {
      this.#ended.abort(new Error(detail));
      // Also if the removal of its pod takes longer than a stop waits.
      void parts.forwards?.close(parts.pod.metadata.name).catch(() => {});
    });
  }

  /** Ends the browser with its pod. A later call can shorten the grace period. */
  async stop(graceMs: number): Promise<void> {
    this.#wasStopped = true;
    const { reaper, pod, forwards } = this.#parts;
    const waitMs = graceMs + REMOVE_WAIT_MS;
    await reaper.remove(pod, { graceMs, waitMs });
    this.#ended.abort(new Error("its pod was deleted"));
    await forwards?.close(pod.metadata.name);
  }

  probe(signal: AbortSignal): Promise<void> {
    // Another pod may have its address by now.
    return probeBrowser(this, AbortSignal.any([signal, this.#ended.signal]));
  }

  stats(): Promise<BrowserStats> {
    return readStats(this.#parts.client, this.#parts.pod.metadata.name);
  }

  logs(lines: number): Promise<string> {
    return readLogs(this.#parts.client, this.#parts.pod.metadata.name, lines);
  }

  followLogs(options: FollowOptions): AsyncGenerator<OutputPart, void> {
    const { client, pod } = this.#parts;
    return followLogs(client, pod.metadata.name, options);
  }

  /** Resolves when the pod has ended. Never settles if the host is closed before. */
  async #watchExit(): Promise<BrowserExit> {
    const { watch, pod, closed } = this.#parts;
    try {
      return await watch.waitFor(
        pod,
        (state) => readExit(state, { wasStopped: this.#wasStopped }),
        closed,
      );
    } catch {
      return await new Promise(() => {});
    }
  }
}
