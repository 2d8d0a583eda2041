import { hostname } from "node:os";
import { ApiError } from "../client/api_error.ts";
import type { Command, GridClient, Registration } from "../client/client.ts";
import type { Clock } from "../core/clock.ts";
import { logOf } from "../core/log.ts";
import { every } from "../core/loop.ts";
import type { BrowserHost, Provider } from "../core/provider.ts";
import type { Registry } from "../core/registry.ts";
import { ClaimLoop } from "./claim_loop.ts";
import { Heartbeat } from "./heartbeat.ts";
import { trustedUntil } from "./lease.ts";
import { Outbox } from "./outbox.ts";
import { readState, type WorkerState, writeState } from "./state_file.ts";
import { Supervisor } from "./supervisor.ts";

const log = logOf("worker", "worker");

/** Longest wait for the last reports of a worker that leaves. */
const FAREWELL_MS = 3_000;

/** Time between two looks for browsers that no session holds. */
const SWEEP_MS = 60_000;

/** Longest pause between tries to reach the server. */
const MAX_PAUSE_MS = 5_000;

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
  readonly version: string;
  /** Ends the wait for a server. */
  readonly signal?: AbortSignal | undefined;
}

/** A worker that claims sessions. Disposal ends its browsers, reports that, and leaves. */
export interface RunningWorker extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** Resolves when it was drained and holds nothing any more. */
  readonly drained: Promise<void>;
  /** Takes no more sessions; what runs goes on to its end. */
  drain(): void;
  /** Ends its browsers without asking them; resolves when nothing is left of them. */
  kill(): Promise<void>;
  sessionsHeld(): number;
}

/**
 * Registers with the server, for which it waits, adopts what an earlier process of the same worker left, and begins to
 * claim.
 *
 * @throws {ApiError} When the server refuses the worker: its key, its pool, its name.
 */
export async function startWorker(
  options: WorkerOptions,
): Promise<RunningWorker> {
  const { client, clock } = options;
  const file = statePathOf(options);
  const state = await readState(file) ?? newState(options);
  const registration = await register(options, state);
  await writeState(file, { ...state, id: registration.worker.id });
  const { worker } = registration;
  log.info("Registered as {name} in work pool {work_pool_id}", {
    name: worker.name,
    worker_id: worker.id,
    work_pool_id: worker.work_pool_id,
  });

  await using stack = new AsyncDisposableStack();
  const outbox = new Outbox();
  const host = stack.use(await openHost(options, registration, outbox));
  let isDraining = false;
  const drained = Promise.withResolvers<void>();
  const supervisor: Supervisor = new Supervisor({
    host,
    outbox,
    clock,
    capacity: options.capacity,
    onChange,
  });
  const leaseUntil = trustedUntil(clock.monotonic(), registration.lease_ttl_ms);
  const adoptable = await host.adopt();

  let claims: ClaimLoop | undefined = undefined;
  const heartbeat = stack.use(
    new Heartbeat({
      client,
      workerId: worker.id,
      clock,
      periodMs: Math.min(
        registration.heartbeat_ms,
        options.pollIntervalSeconds * 1_000,
      ),
      outbox,
      supervisor,
      status: () =>
        isDraining ? "draining" : supervisor.room === 0 ? "busy" : "online",
      onCommand,
      onUnknown: async () => void await register(options, state),
    }),
  );
  supervisor.adopt(adoptable, registration.held_sessions, leaseUntil);
  stack.use(startSweeping(host, supervisor, clock));
  stack.use(startPreparing(host));
  claims = stack.use(
    new ClaimLoop({
      client,
      workerId: worker.id,
      clock,
      supervisor,
      pauseMs: Math.min(1_000, options.pollIntervalSeconds * 1_000),
      isDraining: () => isDraining,
      onCommand,
      onWoken: () => heartbeat.nudge(),
    }),
  );
  const running = stack.move();

  function onChange(): void {
    heartbeat.nudge();
    claims?.roomChanged();
    if (isDraining && supervisor.size === 0) drained.resolve();
  }

  function onCommand(command: Command): void {
    if (command.type === "stop") supervisor.obey(command);
    else drain();
  }

  function drain(): void {
    // The order is repeated with every answer.
    if (isDraining) return;
    log.info("Draining: no more sessions are claimed");
    isDraining = true;
    onChange();
  }

  return {
    id: worker.id,
    name: worker.name,
    drained: drained.promise,
    drain,
    async kill() {
      isDraining = true;
      await supervisor.endAll("its worker was stopped at once", "killed");
    },
    sessionsHeld: () => supervisor.size,
    async [Symbol.asyncDispose]() {
      isDraining = true;
      await claims?.[Symbol.asyncDispose]();
      await supervisor.endAll("its worker was stopped", "asked");
      await lastReport(heartbeat);
      await running.disposeAsync();
    },
  };
}

/** Ends, at once and again and again, the browsers of this worker that belong to no session it holds. */
function startSweeping(
  host: BrowserHost,
  supervisor: Supervisor,
  clock: Clock,
): AsyncDisposable {
  return every(async () => {
    for (const session_id of await host.sweep(supervisor.heldIds)) {
      log.warn("Ended the browser of {session_id}, which is not held", {
        session_id,
      });
    }
  }, {
    clock,
    periodMs: SWEEP_MS,
    onFailure: (error) => log.warn("Cannot sweep: {error}", { error }),
  });
}

/** Gets in the background what the first session would wait for. */
function startPreparing(host: BrowserHost): Disposable {
  const stop = new AbortController();
  void host.prepare?.(stop.signal).catch((error) => {
    if (stop.signal.aborted) return;
    log.warn("Cannot prepare for the first session: {error}", { error });
  });
  return { [Symbol.dispose]: () => stop.abort() };
}

/** Says what is left to say, if the server answers soon. */
async function lastReport(heartbeat: Heartbeat): Promise<void> {
  const patience = Promise.withResolvers<void>();
  const timer = setTimeout(patience.resolve, FAREWELL_MS);
  await Promise.race([heartbeat.send().catch(() => {}), patience.promise]);
  clearTimeout(timer);
}

async function openHost(
  { providers, dataDir }: WorkerOptions,
  { worker, grid_id, provider_config }: Registration,
  outbox: Outbox,
): Promise<BrowserHost> {
  const provider = providers.get(worker.provider_type);
  return await provider.open(provider.configSchema.parse(provider_config), {
    gridId: grid_id,
    workerId: worker.id,
    dataDir,
    onProgress(line) {
      log.info("{line}", { line });
      for (const { session_id } of outbox.snapshot()) {
        outbox.addProgress(session_id, line);
      }
    },
  });
}

/** Registers; waits for a server that is not there yet, or cannot answer now. */
async function register(
  { client, clock, signal, ...options }: WorkerOptions,
  state: WorkerState,
): Promise<Registration> {
  const id = options.workerId ?? state.id;
  for (let tries = 0;; tries++) {
    try {
      return await client.registerWorker({
        ...(id === undefined ? {} : { id }),
        name: state.name,
        secret: state.secret,
        work_pool_id: options.workPoolId,
        capacity: options.capacity,
        version: options.version,
        provider_details: { hostname: hostname(), os: Deno.build.os },
      });
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (tries === 0) log.warn("Waiting for the server: {error}", { error });
      const pause = Math.min(MAX_PAUSE_MS, 100 * 2 ** tries);
      await clock.sleep(pause * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** Whether another try may succeed: no answer, or one that says "later". */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.status === 0 || error.status >= 500 || error.status === 429);
}

function newState({ workerName, workPoolId }: WorkerOptions): WorkerState {
  const base = `${hostname()}-${workPoolId}`.replaceAll(/[^\w.-]/g, "-");
  return {
    name: workerName ?? base.replace(/^[^A-Za-z0-9]+/, "").slice(0, 100),
    secret: crypto.randomUUID() + crypto.randomUUID(),
  };
}

/** One file a pool and name: several workers of one host do not share it. */
function statePathOf({ dataDir, workPoolId, workerName }: WorkerOptions) {
  const name = [workPoolId, workerName ?? "default"].map(encodeURIComponent);
  return `${dataDir}/workers/${name.join("-")}.json`;
}
