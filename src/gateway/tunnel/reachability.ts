import type { SessionManager } from "../../apps/sessions/manager.ts";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { createLogger, describeError } from "../../core/log.ts";
import { isTunnelOnly } from "../../core/provider.ts";
import { verifyBrowser } from "../verify_browser.ts";
import { dialDirect } from "../dialer.ts";

const log = createLogger("gateway", "reachability");

/** Longest wait for a browser's answer. */
const PROBE_MS = 1_000;

/** How the browsers of a worker are reached. */
export type Reachability = "direct" | "tunnel";

/** A worker that has left open how it is reached, and where one of its browsers listens. */
export interface ProbeTarget {
  readonly workerId: string;
  readonly url: URL;
}

/** Finds out how workers that have left that open, and have a tunnel, are reached; and writes it down for all servers. */
export class ReachabilityCache {
  readonly #core: Core;
  readonly #sessions: SessionManager;
  readonly #workers: WorkerManager;
  /** Probes by worker. */
  readonly #probes = new Map<string, Promise<Reachability>>();
  /** What is done in the background. None of it rejects. */
  readonly #work = new Set<Promise<void>>();

  constructor(core: Core, sessions: SessionManager, workers: WorkerManager) {
    this.#core = core;
    this.#sessions = sessions;
    this.#workers = workers;
  }

  /** Directly, if the browser answers this server within a second. */
  async resolve({ workerId, url }: ProbeTarget): Promise<Reachability> {
    const running = this.#probes.get(workerId);
    if (running) return await running;
    const probe = this.#probe(url);
    this.#probes.set(workerId, probe);
    try {
      const reached = await probe;
      this.record(workerId, reached);
      return reached;
    } finally {
      this.#probes.delete(workerId);
    }
  }

  /** Writes down, in the background, how a worker is reached. */
  record(workerId: string, reached: Reachability): void {
    log.info("Browsers of a worker are reached: {reached}", {
      worker_id: workerId,
      reached,
    });
    this.#inBackground(this.#workers.recordReach(workerId, reached));
  }

  /** Finds out about workers as soon as a browser of theirs has started, until disposed. */
  start(): AsyncDisposable {
    const subscription = this.#core.bus.subscribe((event) => {
      if (event.type !== "browser_started" || !event.is_reach_open) return;
      this.#inBackground(this.#probeSession(event.subject));
    });
    return {
      [Symbol.asyncDispose]: async () => {
        subscription[Symbol.dispose]();
        while (this.#work.size > 0) await Promise.all(this.#work);
      },
    };
  }

  async #probe(url: URL): Promise<Reachability> {
    const isReached = await verifyBrowser(dialDirect({ url }), {
      timeoutMs: PROBE_MS,
      signal: this.#core.stopping,
    });
    return isReached ? "direct" : "tunnel";
  }

  async #probeSession(sessionId: string): Promise<void> {
    const { workerId, endpoint, status } = await this.#sessions.target(
      sessionId,
    );
    if (status !== "running" || workerId === null || endpoint === null) return;
    const url = new URL(endpoint);
    // Records nothing about the worker, because the server does not dial it at that address.
    if (isTunnelOnly(url)) return;
    await this.resolve({ workerId, url });
  }

  #inBackground(work: Promise<void>): void {
    const done = work.catch((error: unknown) =>
      log.warn("Cannot find out how a worker is reached: {error}", {
        error: describeError(error),
      })
    ).finally(() => this.#work.delete(done));
    this.#work.add(done);
  }
}
