import { ApiError, type Command, type GridClient } from "../client/client.ts";
import { aborted } from "../async/abortable.ts";
import type { Clock } from "../async/clock.ts";
import { createLogger } from "../core/log.ts";
import { every } from "../async/every.ts";
import type { LocalSandbox, Provider } from "../core/provider.ts";
import type { Registry } from "../core/registry.ts";
import {
  findBrowsers,
  openHost,
  startPreparing,
  startSweeping,
} from "./host/browser_host.ts";
import { ClaimLoop } from "./claim_loop.ts";
import { Drain } from "./drain.ts";
import { Heartbeat } from "./heartbeat.ts";
import { HostHealth } from "./host/health.ts";
import { calculateTrustedUntil } from "./lease.ts";
import { Outbox } from "./outbox.ts";
import {
  createState,
  HOST_DETAILS,
  register,
  resolveReach,
  resolveStatePath,
} from "./register.ts";
import { ServerAvailability } from "./server_availability.ts";
import { openStateFile, type StateStore } from "./state_file.ts";
import { Supervisor } from "./supervisor.ts";
import type { TunnelClient, TunnelOpener } from "./tunnel/client.ts";
import { WarmPool } from "./warm/pool.ts";
import { WarmHost } from "./warm/host.ts";

const log = createLogger("worker", "worker");

/** How often leases, lifetimes and the time to drain are looked at: often within what a lease is not trusted at its end. */
const WATCH_MS = 250;

/** How a server reaches a worker's browsers: by their address, through the worker's tunnel, or by what works. */
export type Reach = "auto" | "direct" | "tunnel";

/** What a worker is started with. */
export interface WorkerOptions {
  readonly client: GridClient;
  readonly providers: Registry<Provider>;
  readonly clock: Clock;
  /** Id or name. */
  readonly workPoolId: string;
  /** Comes back as this worker. */
  readonly workerId?: string | undefined;
  readonly workerName?: string | undefined;
  readonly capacity: number;
  /** Pause after a failed claim, and longest time between heartbeats. */
  readonly pollIntervalSeconds: number;
  readonly dataDir: string;
  /** What makes it the same worker after a restart; by default a file in `dataDir`. The worker disposes it. */
  readonly state?: StateStore | undefined;
  readonly version: string;
  /** Selects the sessions that are isolated from this host. @default {"auto"} */
  readonly localSandbox?: LocalSandbox | undefined;
  /** URL of the server, which isolated sessions must not reach. */
  readonly serverUrl?: string | undefined;
  /** How the server is to reach its browsers. @default {"auto"} */
  readonly reach?: Reach | undefined;
  /** Opens its tunnel. Without it, browsers are reached directly only. */
  readonly openTunnel?: TunnelOpener | undefined;
  /** How long its sessions may go on when it drains; by default what the server says. */
  readonly drainTimeoutSeconds?: number | undefined;
  /** Ends the wait for a server. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Why a worker is to be disposed: it was drained and holds nothing any more, a newer process of it has registered, or the
 * server takes it no longer: its pool was deleted.
 */
export type WorkerEnd = "drained" | "replaced" | "refused";

/** A worker that claims sessions. Disposal ends its browsers, reports that, and leaves. */
export interface Worker extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly done: Promise<WorkerEnd>;
  /** Takes no more sessions; what runs goes on to its end, or to that of the time to drain. */
  drain(): void;
  /** Ends its browsers without asking them; resolves when nothing is left of them. */
  kill(): Promise<void>;
  sessionsHeld(): number;
  /** Returns the unix socket of a session's browser, if it is isolated. */
  findSocketPath(sessionId: string): string | undefined;
}

/**
 * Registers with the server, for which it waits, adopts what an earlier process of the same worker left, and begins to
 * claim.
 *
 * @throws {ApiError} When the server refuses the worker: its key, its pool, its name.
 * @throws {Error} When another process on this host is the same worker.
 */
export async function startWorker(
  options: WorkerOptions,
): Promise<Worker> {
  const { client, clock, signal } = options;
  await using stack = new AsyncDisposableStack();
  const file = stack.use(
    options.state ?? await openStateFile(resolveStatePath(options)),
  );
  const state = await file.read() ?? createState(options);
  const instanceId = crypto.randomUUID();
  const proof = { secret: state.secret, instanceId };
  const { registration, sentAt } = await register(options, state, instanceId);
  const until = calculateTrustedUntil(sentAt, registration.lease_ttl_ms);
  const { worker, held_sessions } = registration;
  const known = { ...state, id: worker.id };
  await file.write(known);
  log.info("Registered as {name} in work pool {work_pool_id}", {
    name: worker.name,
    worker_id: worker.id,
    work_pool_id: worker.work_pool_id,
  });

  const outbox = new Outbox();
  const availability = new ServerAvailability();
  const drain = new Drain(clock);
  const done = Promise.withResolvers<WorkerEnd>();
  const host = stack.use(
    new WarmHost({
      host: await openHost({ ...options, registration, outbox }),
      clock,
      handedOver: state.handed_over ?? {},
      save: (handed_over) => file.write({ ...known, handed_over }),
    }),
  );
  const health = stack.use(new HostHealth({ host, clock, onChange }));
  let hasAdopted = false;
  let isReplaced = false;
  let claims: ClaimLoop | undefined = undefined;
  const warm = stack.use(
    new WarmPool({
      host,
      clock,
      capacity: options.capacity,
      sessionsHeld: () => supervisor.size,
      isOpen,
      isHostUp: () => health.check(),
      isStarting: () => supervisor.isStarting,
      onChange: () => heartbeat.sendSoon(),
    }),
  );
  const supervisor: Supervisor = new Supervisor({
    host,
    warm,
    outbox,
    clock,
    capacity: options.capacity,
    graceMs: () =>
      availability.isUnavailable ? registration.server_grace_ms : 0,
    isHostUp: () => health.check(),
    onChange,
  });
  // Before the browsers are found: to look for them may take its time, and their leases go on.
  for (const held of held_sessions) outbox.put(held);
  const heartbeat: Heartbeat = new Heartbeat({
    client,
    workerId: worker.id,
    proof,
    clock,
    periodMs: Math.min(
      registration.heartbeat_ms,
      options.pollIntervalSeconds * 1_000,
    ),
    outbox,
    supervisor,
    availability,
    status,
    onCommands,
    ready: () => warm.readyCount,
    onReadyWanted: (wanted) => warm.setTarget(wanted),
    providerDetails: () =>
      health.problem
        ? { ...HOST_DETAILS, problem: health.problem }
        : HOST_DETAILS,
    onUnknown,
    onReplaced,
  });
  stack.use(heartbeat);
  const found = await findBrowsers(host, held_sessions, {
    clock,
    until,
    signal,
  });
  supervisor.adopt(found, held_sessions, until);
  const tunnel: TunnelClient | undefined = resolveReach(options) === "direct"
    ? undefined
    : options.openTunnel?.({
      workerId: worker.id,
      proof,
      clock,
      findAddress: (sessionId) => supervisor.findAddress(sessionId),
    });
  stack.use(tunnel);
  hasAdopted = true;
  heartbeat.sendSoon();
  stack.use(every(watch, { clock, periodMs: WATCH_MS }));
  stack.use(startSweeping(host, supervisor.heldIds, clock));
  stack.use(startPreparing(host));
  claims = stack.use(
    new ClaimLoop({
      client,
      workerId: worker.id,
      proof,
      clock,
      supervisor,
      pauseMs: Math.min(1_000, options.pollIntervalSeconds * 1_000),
      isOpen,
      onCommands: stopSessions,
      onWoken: () => heartbeat.sendSoon(),
      onReplaced,
    }),
  );
  const running = stack.move();
  let left: Promise<void> | undefined;

  function status() {
    if (!hasAdopted || !health.isUp) return "failed";
    if (drain.isActive) return "draining";
    return supervisor.room === 0 ? "busy" : "online";
  }

  function isOpen(): boolean {
    return !drain.isActive && health.isUp;
  }

  function onChange(): void {
    heartbeat.sendSoon();
    claims?.roomChanged();
    warm.reconcile();
    leaveIfDrained();
  }

  function leaveIfDrained(): void {
    if (hasAdopted && drain.isActive && supervisor.size === 0) {
      done.resolve("drained");
    }
  }

  function stopSessions(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.type === "stop") supervisor.stop(command);
    }
  }

  function onCommands(commands: readonly Command[]): void {
    stopSessions(commands);
    const order = commands.find((command) => command.type === "drain");
    const wasOn = drain.isActive;
    drain.setServerDrain(order?.timeout_ms);
    if (wasOn === drain.isActive) return;
    log.info(
      drain.isActive
        ? "Draining: no more sessions are claimed"
        : "Drain taken back: sessions are claimed again",
    );
    onChange();
  }

  /** Its row was deleted. What it holds, the server no longer counts as its own. */
  async function onUnknown(signal: AbortSignal): Promise<void> {
    const { name } = worker;
    log.warn("The server does not know worker {name}: it registers anew", {
      name,
    });
    warm.setTarget(undefined);
    try {
      await register({ ...options, signal }, known, instanceId);
      tunnel?.renew();
    } catch (error) {
      if (signal.aborted) throw error;
      log.error("The server refuses worker {name}: {error}", {
        name,
        error: error instanceof ApiError ? error.message : error,
      });
      done.resolve("refused");
      await aborted(signal);
    }
  }

  /** The newer process has its sessions; browsers here belong to nobody. */
  function onReplaced(): void {
    log.error("A newer process of worker {name} has registered", {
      name: worker.name,
    });
    isReplaced = true;
    done.resolve("replaced");
  }

  function watch(): Promise<void> {
    supervisor.endOverdue();
    warm.reconcile();
    if (drain.isExpired) {
      supervisor.releaseAll("its worker had to leave", "asked");
    }
    return Promise.resolve();
  }

  return {
    id: worker.id,
    name: worker.name,
    done: done.promise,
    drain() {
      const { drainTimeoutSeconds } = options;
      drain.begin(
        drainTimeoutSeconds === undefined
          ? registration.drain_timeout_ms
          : drainTimeoutSeconds * 1_000,
      );
      onChange();
    },
    async kill() {
      drain.begin(0);
      await Promise.all([
        supervisor.endAll("its worker was stopped at once", "killed"),
        warm[Symbol.asyncDispose](),
      ]);
    },
    sessionsHeld: () => supervisor.size,
    findSocketPath: (sessionId) =>
      supervisor.findAddress(sessionId)?.socketPath,
    [Symbol.asyncDispose]: () => left ??= leave(),
  };

  async function leave(): Promise<void> {
    await claims?.[Symbol.asyncDispose]();
    await Promise.all([
      supervisor.endAll("its worker was stopped", "asked"),
      warm[Symbol.asyncDispose](),
    ]);
    await heartbeat[Symbol.asyncDispose]();
    if (!isReplaced) await heartbeat.deregister();
    await running.disposeAsync();
  }
}
