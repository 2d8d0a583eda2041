import type { SessionManager } from "../../apps/sessions/manager.ts";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { describeError, logOf } from "../../core/log.ts";
import { isTunnelOnly } from "../../core/provider.ts";
import { isOwnBrowser } from "../verify_browser.ts";
import { directly } from "../dialer.ts";

const log = logOf("gateway", "verdicts");

/** Longest wait for a browser's answer. */
const ANSWER_MS = 1_000;

/** How the browsers of a worker are reached. */
export type Reached = "direct" | "tunnel";

/** A worker that has left open how it is reached, and where one of its browsers listens. */
export interface Candidate {
  readonly workerId: string;
  readonly url: URL;
}

/** Finds out how workers that have left that open, and have a tunnel, are reached; and writes it down for all servers. */
export class Verdicts {
  readonly #core: Core;
  readonly #sessions: SessionManager;
  readonly #workers: WorkerManager;
  /** Probes by worker. */
  readonly #probes = new Map<string, Promise<Reached>>();
  /** What is done in the background. None of it rejects. */
  readonly #work = new Set<Promise<void>>();

  constructor(core: Core, sessions: SessionManager, workers: WorkerManager) {
    this.#core = core;
    this.#sessions = sessions;
    this.#workers = workers;
  }

  /** Directly, if the browser answers this server within a second. */
  async of({ workerId, url }: Candidate): Promise<Reached> {
    const running = this.#probes.get(workerId);
    if (running) return await running;
    const probe = this.#probe(url);
    this.#probes.set(workerId, probe);
    try {
      const reached = await probe;
      this.enter(workerId, reached);
      return reached;
    } finally {
      this.#probes.delete(workerId);
    }
  }

  /** Writes down, in the background, how a worker is reached. */
  enter(workerId: string, reached: Reached): void {
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
      this.#inBackground(this.#look(event.subject));
    });
    return {
      [Symbol.asyncDispose]: async () => {
        subscription[Symbol.dispose]();
        while (this.#work.size > 0) await Promise.all(this.#work);
      },
    };
  }

  async #probe(url: URL): Promise<Reached> {
    const isReached = await isOwnBrowser(directly({ url }), {
      timeoutMs: ANSWER_MS,
      signal: this.#core.stopping,
    });
    return isReached ? "direct" : "tunnel";
  }

  async #look(sessionId: string): Promise<void> {
    const { workerId, endpoint, status } = await this.#sessions.target(
      sessionId,
    );
    if (status !== "running" || workerId === null || endpoint === null) return;
    const url = new URL(endpoint);
    // Records nothing about the worker, because the server does not dial it at that address.
    if (isTunnelOnly(url)) return;
    await this.of({ workerId, url });
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
