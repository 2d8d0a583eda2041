import type { WorkerCommand } from "../client/client.ts";
import { createLogger } from "../core/log.ts";
import { ClaimLoop } from "./claim_loop.ts";
import { Drain } from "./drain.ts";
import { Heartbeat } from "./heartbeat.ts";
import { HostHealth } from "./host/health.ts";
import { FollowedLogs } from "./logs/followed_logs.ts";
import { WorkerSampler } from "./host/worker_sampler.ts";
import { Observers } from "./observer/observers.ts";
import { resolveReach, type WorkerStartOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { HOST_DETAILS, type Membership } from "./register.ts";
import { ServerAvailability } from "./server_availability.ts";
import { Supervisor } from "./supervisor.ts";
import type { TunnelClient } from "./tunnel/client.ts";
import type { WarmHost } from "./warm/host.ts";
import { WarmPool } from "./warm/pool.ts";

const log = createLogger("worker", "parts");

/** Options of {@linkcode WorkerParts}. */
export interface WorkerPartsOptions {
  readonly worker: WorkerStartOptions;
  readonly membership: Membership;
  readonly host: WarmHost;
  readonly outbox: Outbox;
  /** Called after a change of the held sessions, the host's health or the drain. */
  readonly onChange: () => void;
  /** Called if the server no longer knows the worker or its key. */
  readonly onUnknown: (signal: AbortSignal) => Promise<void>;
  /** Called if a newer process has registered as this worker. */
  readonly onReplaced: () => void;
}

/** The parts of one worker, connected with each other. Creating them starts nothing. */
export class WorkerParts {
  readonly drain: Drain;
  readonly health: HostHealth;
  readonly warm: WarmPool;
  readonly observers: Observers;
  readonly supervisor: Supervisor;
  readonly sampler: WorkerSampler;
  readonly heartbeat: Heartbeat;
  readonly logs: FollowedLogs;
  readonly claims: ClaimLoop;
  /** True once the browsers of an earlier process are adopted. */
  hasAdopted = false;
  readonly #availability = new ServerAvailability();
  readonly #options: WorkerPartsOptions;

  constructor(options: WorkerPartsOptions) {
    const { clock } = options.worker;
    const { host } = options;
    this.#options = options;
    this.drain = new Drain(clock);
    this.health = new HostHealth({
      host,
      clock,
      onChange: () => this.changed(),
    });
    this.warm = this.#createWarmPool();
    this.observers = new Observers({
      client: options.worker.client,
      workerId: options.membership.registration.worker.id,
      proof: options.membership.proof,
      clock,
    });
    this.logs = new FollowedLogs({
      client: options.worker.client,
      proof: options.membership.proof,
      clock,
      findBrowser: (id, token) => this.supervisor.findBrowser(id, token),
    });
    this.supervisor = this.#createSupervisor();
    this.sampler = new WorkerSampler({
      clock,
      periodMs: options.membership.registration.metrics_ms,
      dataDir: options.worker.dataDir,
      listBrowsers: () => this.supervisor.browsers,
    });
    this.heartbeat = this.#createHeartbeat();
    this.claims = this.#createClaimLoop();
  }

  /** True if the worker accepts sessions. */
  get isOpen(): boolean {
    return !this.drain.isActive && this.health.isUp;
  }

  /** The status to report. */
  get status(): "failed" | "draining" | "busy" | "online" {
    if (!this.hasAdopted || !this.health.isUp) return "failed";
    if (this.drain.isActive) return "draining";
    return this.supervisor.room === 0 ? "busy" : "online";
  }

  /** Reports a change of the held sessions, the host's health or the drain to every part. */
  changed(): void {
    this.heartbeat.sendSoon();
    this.claims.roomChanged();
    this.warm.reconcile();
    this.#options.onChange();
  }

  /** Opens the worker's tunnel, unless the server reaches its browsers directly. */
  openTunnel(): TunnelClient | undefined {
    const { worker, membership } = this.#options;
    if (resolveReach(worker) === "direct") return undefined;
    return worker.openTunnel?.({
      workerId: membership.registration.worker.id,
      proof: membership.proof,
      clock: worker.clock,
      findAddress: (sessionId) => this.supervisor.findAddress(sessionId),
    });
  }

  #createWarmPool(): WarmPool {
    const { worker, host } = this.#options;
    return new WarmPool({
      host,
      clock: worker.clock,
      capacity: worker.capacity,
      sessionsHeld: () => this.supervisor.size,
      isOpen: () => this.isOpen,
      isHostUp: () => this.health.check(),
      isStarting: () => this.supervisor.isStarting,
      onChange: () => this.heartbeat.sendSoon(),
    });
  }

  #createSupervisor(): Supervisor {
    const { worker, host, outbox, membership } = this.#options;
    const { server_grace_ms } = membership.registration;
    return new Supervisor({
      host,
      warm: this.warm,
      outbox,
      clock: worker.clock,
      tracer: worker.tracer,
      capacity: worker.capacity,
      graceMs: () => this.#availability.isUnavailable ? server_grace_ms : 0,
      isHostUp: () => this.health.check(),
      observe: this.observers.observe,
      finishLogs: (id) => this.logs.finish(id),
      onChange: () => this.changed(),
    });
  }

  #createHeartbeat(): Heartbeat {
    const { worker, outbox, membership, onUnknown, onReplaced } = this.#options;
    const { registration, proof } = membership;
    return new Heartbeat({
      client: worker.client,
      workerId: registration.worker.id,
      proof,
      clock: worker.clock,
      periodMs: Math.min(
        registration.heartbeat_ms,
        worker.pollIntervalSeconds * 1_000,
      ),
      dataDir: worker.dataDir,
      outbox,
      supervisor: this.supervisor,
      samples: this.sampler,
      warm: this.warm,
      observers: this.observers,
      availability: this.#availability,
      readStatus: () => this.status,
      readHostDetails: () => {
        const { problem } = this.health;
        return problem ? { ...HOST_DETAILS, problem } : HOST_DETAILS;
      },
      onCommands: (commands) => this.#execute(commands),
      onFollowed: (followed) => this.logs.follow(followed),
      onUnknown,
      onReplaced,
    });
  }

  #createClaimLoop(): ClaimLoop {
    const { worker, membership, onReplaced } = this.#options;
    const { registration, proof } = membership;
    return new ClaimLoop({
      client: worker.client,
      workerId: registration.worker.id,
      proof,
      clock: worker.clock,
      supervisor: this.supervisor,
      pauseMs: Math.min(1_000, worker.pollIntervalSeconds * 1_000),
      isOpen: () => this.isOpen,
      onCommands: (commands) => this.#stopSessions(commands),
      onWoken: () => this.heartbeat.sendSoon(),
      onReplaced,
    });
  }

  #stopSessions(commands: readonly WorkerCommand[]): void {
    for (const command of commands) {
      if (command.type === "stop") this.supervisor.stop(command);
    }
  }

  /** Executes all commands that are in force. Without a drain command, an earlier one is withdrawn. */
  #execute(commands: readonly WorkerCommand[]): void {
    this.#stopSessions(commands);
    const drain = commands.find((command) => command.type === "drain");
    const wasActive = this.drain.isActive;
    this.drain.setServerDrain(drain?.timeout_ms);
    if (wasActive === this.drain.isActive) return;
    log.info(
      wasActive
        ? "Drain withdrawn: sessions are claimed again"
        : "Draining: no more sessions are claimed",
    );
    this.changed();
  }
}
