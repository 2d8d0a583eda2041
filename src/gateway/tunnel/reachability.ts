import type { SessionManager } from "../../apps/sessions/manager.ts";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { createLogger, describeError } from "../../core/log.ts";
import { isTunnelOnly } from "../../core/network.ts";
import { verifyBrowser } from "../verify_browser.ts";
import { DirectDialer } from "../dialer.ts";

const log = createLogger("gateway", "reachability");

/** Timeout of a browser's response. */
const PROBE_MS = 1_000;

/** Path from the servers to the browsers of a worker. */
export type Reachability = "direct" | "tunnel";

/** A worker of unknown reachability and the address of one of its browsers. */
export interface ProbeTarget {
  readonly workerId: string;
  readonly url: URL;
}

/** Probes and records, for all servers, how workers with a tunnel are reached if they have not declared it. Disposal waits for its background tasks. */
export class ReachabilityCache implements AsyncDisposable {
  readonly #core: Core;
  readonly #sessions: SessionManager;
  readonly #workers: WorkerManager;
  /** Probes by worker. */
  readonly #probes = new Map<string, Promise<Reachability>>();
  /** Background tasks. They never reject. */
  readonly #tasks = new Set<Promise<void>>();

  constructor(core: Core, sessions: SessionManager, workers: WorkerManager) {
    this.#core = core;
    this.#sessions = sessions;
    this.#workers = workers;
  }

  /** Probes and records how a worker is reached: "direct" if its browser responds to this server within 1 s. */
  async resolve({ workerId, url }: ProbeTarget): Promise<Reachability> {
    const running = this.#probes.get(workerId);
    if (running) return await running;
    const probe = this.#reach(url);
    this.#probes.set(workerId, probe);
    try {
      const reached = await probe;
      this.record(workerId, reached);
      return reached;
    } finally {
      this.#probes.delete(workerId);
    }
  }

  /** Records in the background how a worker is reached. */
  record(workerId: string, reached: Reachability): void {
    log.info("Worker reachability determined: {reached}", {
      worker_id: workerId,
      reached,
    });
    this.#inBackground(this.#workers.recordReach(workerId, reached));
  }

  /** Probes in the background the worker of a session, whose browser has started. */
  probe(sessionId: string): void {
    this.#inBackground(this.#probeSession(sessionId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async #reach(url: URL): Promise<Reachability> {
    const isReached = await verifyBrowser(new DirectDialer({ url }), {
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

  #inBackground(task: Promise<void>): void {
    const done = task.catch((error: unknown) =>
      log.warn("Reachability probe or record failed: {error}", {
        error: describeError(error),
      })
    ).finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }
}
