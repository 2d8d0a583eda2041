import { aborted } from "../async/abortable.ts";
import { every } from "../async/every.ts";
import { ApiError } from "../client/api_error.ts";
import { createLogger, noteTrace } from "../core/log.ts";
import {
  findBrowsers,
  openHost,
  startPreparing,
  startSweeping,
} from "./host/browser_host.ts";
import type { WorkerStartOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { WorkerParts } from "./parts.ts";
import { type Membership, register, requestRegistration } from "./register.ts";
import { resolveStatePath, StateFile } from "./state_file.ts";
import type { TunnelClient } from "./tunnel/client.ts";
import { WarmHost } from "./warm/host.ts";

const log = createLogger("worker", "worker");

/** Interval of the checks of leases, lifetimes and the drain timeout. Much shorter than the untrusted end of a lease. */
const CHECK_MS = 250;

/**
 * Reason why a worker must be disposed: it was drained and holds no session, a newer process has registered as this
 * worker, or the server rejects it because its pool or its key was deleted.
 */
export type WorkerEnd = "drained" | "replaced" | "rejected";

/** The registration of a worker and what it has opened before its other parts exist. */
interface Foundation {
  readonly membership: Membership;
  readonly host: WarmHost;
  readonly outbox: Outbox;
  /** Disposes everything that is open. */
  readonly stack: AsyncDisposableStack;
}

/**
 * A worker: it claims sessions of one pool and holds their browsers.
 *
 * ```text
 * register -> adopt browsers of an earlier process -> run: claims, heartbeats, sweeps -> leave
 * ```
 *
 * Disposal ends its browsers, reports that and deregisters the worker.
 */
export class Worker implements AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly #options: WorkerStartOptions;
  readonly #foundation: Foundation;
  readonly #parts: WorkerParts;
  readonly #done = Promise.withResolvers<WorkerEnd>();
  #stack: AsyncDisposableStack;
  #tunnel: TunnelClient | undefined;
  #isReplaced = false;
  #leaving: Promise<void> | undefined;

  /**
   * Registers with the server, for which it waits, adopts the browsers of an earlier process of the same worker, and
   * begins to claim.
   *
   * @throws {ApiError} If the server rejects the worker: its key, its pool or its name.
   * @throws {Error} If another process on this host runs the same worker.
   */
  static async start(options: WorkerStartOptions): Promise<Worker> {
    const { clock, dataDir } = options;
    await using stack = new AsyncDisposableStack();
    const store = stack.use(
      options.state ??
        await StateFile.open(resolveStatePath(dataDir, options)),
    );
    const membership = await register(options, store);
    const { state, registration } = membership;
    const outbox = new Outbox();
    const host = stack.use(
      new WarmHost({
        host: await openHost({ ...options, registration, outbox }),
        clock,
        handedOver: state.handed_over ?? {},
        save: (handed_over) => store.write({ ...state, handed_over }),
      }),
    );
    const worker = new Worker(options, { membership, host, outbox, stack });
    await worker.#adopt();
    worker.#run();
    worker.#stack = stack.move();
    return worker;
  }

  private constructor(options: WorkerStartOptions, foundation: Foundation) {
    const { worker } = foundation.membership.registration;
    this.id = worker.id;
    this.name = worker.name;
    this.#options = options;
    this.#foundation = foundation;
    this.#stack = foundation.stack;
    this.#parts = new WorkerParts({
      ...foundation,
      worker: options,
      onChange: () => this.#endIfDrained(),
      onUnknown: (signal) => this.#registerAgain(signal),
      onReplaced: () => this.#endReplaced(),
    });
  }

  /** Resolves when the worker must be disposed. */
  get done(): Promise<WorkerEnd> {
    return this.#done.promise;
  }

  /** Number of held sessions. */
  get sessionsHeld(): number {
    return this.#parts.supervisor.size;
  }

  /** Returns the unix socket of a session's browser, if the session is isolated. */
  findSocketPath(sessionId: string): string | undefined {
    return this.#parts.supervisor.findAddress(sessionId)?.socketPath;
  }

  /** Claims no more sessions. Those that are running continue until they end or the drain timeout passes. */
  drain(): void {
    const { drainTimeoutSeconds } = this.#options;
    const { drain_timeout_ms } = this.#foundation.membership.registration;
    this.#parts.drain.begin(
      drainTimeoutSeconds === undefined
        ? drain_timeout_ms
        : drainTimeoutSeconds * 1_000,
    );
    this.#parts.changed();
  }

  /** Kills the browsers. Resolves when nothing of them remains. */
  async kill(): Promise<void> {
    const { drain, supervisor, warm } = this.#parts;
    drain.begin(0);
    const reason = "its worker was stopped at once";
    await Promise.all([
      supervisor.endAll({ reason, force: true }),
      warm[Symbol.asyncDispose](),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving ??= this.#leave();
    await this.#leaving;
  }

  async #adopt(): Promise<void> {
    const { host, outbox, membership } = this.#foundation;
    const { registration, trustedUntil } = membership;
    const { held_sessions, traces = {} } = registration;
    for (const each of Object.entries(traces)) noteTrace(...each);
    const { health, warm, heartbeat, logs, observers, supervisor } =
      this.#parts;
    for (const part of [observers, health, warm, logs, heartbeat]) {
      this.#stack.use(part);
    }
    health.start();
    // Heartbeats renew the leases during the search for browsers, which may be slow.
    for (const held of held_sessions) outbox.put(held);
    heartbeat.start();
    const { clock, signal } = this.#options;
    const found = await findBrowsers(host, held_sessions, {
      clock,
      trustedUntil,
      signal,
    });
    supervisor.adopt(found, held_sessions, trustedUntil);
    this.#parts.hasAdopted = true;
  }

  #run(): void {
    const { clock } = this.#options;
    const { host } = this.#foundation;
    const { heartbeat, supervisor, sampler, claims } = this.#parts;
    this.#tunnel = this.#parts.openTunnel();
    this.#stack.use(this.#tunnel);
    heartbeat.sendSoon();
    const check = () => Promise.resolve(this.#check());
    this.#stack.use(every(check, { clock, periodMs: CHECK_MS }));
    this.#stack.use(startSweeping(host, supervisor.heldIds, clock));
    this.#stack.use(startPreparing(host));
    this.#stack.use(sampler);
    sampler.start();
    this.#stack.use(claims);
    claims.start();
  }

  async #leave(): Promise<void> {
    const { claims, supervisor, warm, heartbeat } = this.#parts;
    await claims[Symbol.asyncDispose]();
    const reason = "its worker was stopped";
    await Promise.all([
      supervisor.endAll({ reason, force: false }),
      warm[Symbol.asyncDispose](),
    ]);
    await heartbeat[Symbol.asyncDispose]();
    if (!this.#isReplaced) await heartbeat.deregister();
    await this.#stack.disposeAsync();
  }

  #check(): void {
    const { supervisor, warm, drain } = this.#parts;
    supervisor.endOverdue();
    warm.reconcile();
    if (!drain.isExpired) return;
    supervisor.releaseAll({ reason: "its worker had to leave", force: false });
  }

  #endIfDrained(): void {
    const { hasAdopted, drain, supervisor } = this.#parts;
    if (hasAdopted && drain.isActive && supervisor.size === 0) {
      this.#done.resolve("drained");
    }
  }

  /** Registers again after the worker or its key was deleted on the server, which no longer assigns it sessions. */
  async #registerAgain(signal: AbortSignal): Promise<void> {
    const { name } = this;
    log.warn("Server does not know worker {name}, registering again", { name });
    this.#parts.warm.setTarget(undefined);
    try {
      await requestRegistration(
        { ...this.#options, signal },
        this.#foundation.membership,
      );
      this.#tunnel?.reconnect();
    } catch (error) {
      if (signal.aborted) throw error;
      log.error("Server rejects worker {name}: {error}", {
        name,
        error: error instanceof ApiError ? error.message : error,
      });
      this.#done.resolve("rejected");
      await aborted(signal);
    }
  }

  /** Ends without a deregistration: the newer process is this worker now. */
  #endReplaced(): void {
    log.error("A newer process has registered as worker {name}", {
      name: this.name,
    });
    this.#isReplaced = true;
    this.#done.resolve("replaced");
  }
}
