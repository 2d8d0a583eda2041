import { v7 as uuid, validate } from "uuid";
import { requirePool } from "../../http/auth/access.ts";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { type Page, pageOf } from "../../http/page.ts";
import {
  notThatWorker,
  type WorkerCaller,
} from "../../http/auth/worker_caller.ts";
import type { SessionManager } from "../sessions/manager.ts";
import type { PoolScope, WorkPoolManager } from "../workerpool/manager.ts";
import type {
  Command,
  HeartbeatBody,
  HeartbeatResponse,
  Registration,
  WorkerInput,
} from "./schemas.ts";
import { type WaitForClaim, waitForClaim } from "./claim_wait.ts";
import {
  addProof,
  poolFull,
  providerMismatch,
  renderHeldSession,
  toWorkerRow,
  workerInUse,
} from "./registration.ts";
import { renderReadyBrowsers } from "./ready.ts";
import type { WorkerListOptions, WorkerStore } from "./store/workers.ts";
import { shareStatement } from "./store/ready.ts";
import { renderWorker, type WorkerRow } from "./worker.ts";
import { workerProblems } from "./problems.ts";

/** Missed heartbeats after which a worker is offline. */
const MISSED_HEARTBEATS = 3;

/** The rules of workers. Everything about one worker is refused with `worker_not_found` if there is none. */
export interface WorkerManager {
  /**
   * Enters a worker, or the same one again.
   *
   * @throws {GridError} `pool_not_found`, `provider_mismatch`, `worker_in_use` — name or id belong to another, `pool_full` — the pool has all its workers, `forbidden` — the caller is restricted to another pool.
   */
  register(input: WorkerInput, caller?: PoolScope): Promise<Registration>;
  get(id: string, caller?: PoolScope): Promise<WorkerRow>;
  /** Returns the worker, if `caller` is its current process. @throws {GridError} Like heartbeat. */
  requireProven(id: string, caller: WorkerCaller): Promise<WorkerRow>;
  list(page: WorkerListOptions): Promise<Page<WorkerRow>>;
  /** @throws {GridError} `worker_busy` — while it holds sessions. */
  remove(id: string): Promise<void>;
  /** Gives it no more sessions. What it holds is ended after `timeoutSeconds`, by default those of the settings. */
  drain(id: string, timeoutSeconds?: number): Promise<WorkerRow>;
  /** Takes a drain back, while the worker is still there. */
  resume(id: string): Promise<WorkerRow>;
  /**
   * One round trip, and a second one for a rejection.
   *
   * @throws {GridError} `unauthorized` — the caller is not that worker, `worker_replaced` — a newer process of the
   * worker has registered.
   */
  heartbeat(
    id: string,
    body: HeartbeatBody,
    caller: WorkerCaller,
  ): Promise<HeartbeatResponse>;
  /** As {@linkcode WaitForClaim}. @throws {GridError} As heartbeat. */
  readonly claim: WaitForClaim;
  /**
   * Enters that a worker has opened a tunnel to the server that others reach at `url`. One round trip, one more for a
   * refusal.
   *
   * @throws {GridError} Like heartbeat.
   */
  recordTunnelOpened(
    id: string,
    url: string,
    caller: WorkerCaller,
  ): Promise<void>;
  /** Unless it is open elsewhere by now. One round trip. */
  recordTunnelClosed(id: string, url: string): Promise<void>;
  /** Where the server that has a worker's tunnel is reached; undefined: there is none. One round trip. */
  findTunnelUrl(id: string): Promise<string | undefined>;
  /** Enters how a worker, and what runs on it, is reached, unless it has asked for a way. One round trip. */
  recordReach(id: string, reach: "direct" | "tunnel"): Promise<void>;
  /** For the reconciler: how many are newly offline, and how many old ones were deleted. */
  markLost(): Promise<number>;
  prune(): Promise<number>;
}

/** The manager over `store`. */
export function createWorkerManager(
  core: Core,
  pools: WorkPoolManager,
  sessions: SessionManager,
  store: WorkerStore,
): WorkerManager {
  const { clock, settings, bus, db } = core;
  const ready = shareStatement(db);

  async function get(
    id: string,
    { workPoolId }: PoolScope = {},
  ): Promise<WorkerRow> {
    const worker = validate(id) ? await store.find(id) : undefined;
    const isElsewhere = workPoolId !== undefined &&
      worker?.workPoolId !== workPoolId;
    if (!worker || isElsewhere) throw workerNotFound(id);
    return worker;
  }

  async function change(
    id: string,
    write: () => Promise<WorkerRow | undefined>,
  ): Promise<WorkerRow> {
    const worker = validate(id) ? await write() : undefined;
    if (!worker) throw workerNotFound(id);
    bus.publish({ type: "worker_commanded", subject: id, worker_id: id });
    return worker;
  }

  async function requireProven(
    id: string,
    caller: WorkerCaller,
  ): Promise<WorkerRow> {
    const worker = await get(id, caller);
    const { secretHash, instanceId } = caller.proof;
    if (worker.secretHash !== secretHash) {
      throw notThatWorker("serve", worker.name);
    }
    if (worker.instanceId !== instanceId) throw workerReplaced(worker.name);
    return worker;
  }

  /** Throws the reason why a caller was not proven. */
  async function refuse(id: string, caller: WorkerCaller): Promise<never> {
    throw workerReplaced((await requireProven(id, caller)).name);
  }

  return {
    get,
    requireProven,
    async register(input, caller = {}) {
      const pool = await pools.get(input.work_pool_id);
      requirePool(caller, { id: pool.id, ref: input.work_pool_id });
      if (input.provider_type && input.provider_type !== pool.providerType) {
        throw providerMismatch(
          input.provider_type,
          pool.name,
          pool.providerType,
        );
      }
      const known = input.id ? await store.find(input.id) : undefined;
      const entering = addProof(input);
      const row = await toWorkerRow(entering, {
        pool,
        now: clock.now(),
        known,
      });
      const entry = { row, gridId: uuid(), takeOver: sessions.takeOver };
      const { worker, others, gridId, held } = known
        ? await store.reregister(entry)
        : await store.register(entry);
      if (!worker) {
        const most = pool.maxWorkers ?? Infinity;
        throw others < most ? workerInUse(row.name) : poolFull(pool.name, most);
      }
      return {
        worker: renderWorker(worker),
        instance_id: entering.instance_id,
        ...(input.secret === undefined ? { secret: entering.secret } : {}),
        grid_id: gridId,
        provider_config: pool.providerConfig,
        lease_ttl_ms: settings.lease_seconds * 1_000,
        heartbeat_ms: settings.heartbeat_seconds * 1_000,
        server_grace_ms: settings.server_grace_seconds * 1_000,
        drain_timeout_ms: settings.drain_timeout_seconds * 1_000,
        held_sessions: held.map(renderHeldSession),
      };
    },
    async list(page) {
      return pageOf(await store.list(page), page.limit);
    },
    async remove(id) {
      const { name } = await get(id);
      if (await store.remove(id)) return;
      throw new GridError(
        workerProblems.worker_busy,
        `Cannot delete worker "${name}": it holds sessions, expected none; drain it and wait, or end them`,
      );
    },
    drain: (id, timeoutSeconds = settings.drain_timeout_seconds) =>
      change(id, () => {
        const now = clock.now();
        return store.drain(id, now, now + timeoutSeconds * 1_000);
      }),
    resume: (id) => change(id, () => store.resume(id, clock.now())),
    async heartbeat(id, body, caller) {
      if (!validate(id)) throw workerNotFound(id);
      const now = clock.now();
      const { first, last, results, commands } = await sessions.applyReports(
        id,
        {
          items: body.sessions,
          caller,
          isLast: body.status === "offline",
        },
        {
          first: store.heartbeat(id, { ...body, caller }, now),
          last: ready(id, now),
        },
      );
      const [worker] = first;
      if (!worker) return await refuse(id, caller);
      const drain: Command[] = worker.drainDeadlineAt === null ? [] : [{
        type: "drain",
        timeout_ms: Math.max(0, worker.drainDeadlineAt - now),
      }];
      return {
        status: worker.status,
        lease_ttl_ms: settings.lease_seconds * 1_000,
        reports: [...results],
        commands: [...drain, ...commands],
        ready: last[0] &&
          renderReadyBrowsers(
            last[0],
            await pools.resolveDefaultSession(last[0].pool),
          ),
      };
    },
    claim: waitForClaim(core, sessions, refuse),
    async recordTunnelOpened(id, url, caller) {
      if (!validate(id)) throw workerNotFound(id);
      if (await store.recordTunnelOpened(id, { caller, url })) return;
      await refuse(id, caller);
    },
    recordTunnelClosed: (id, url) => store.recordTunnelClosed(id, url),
    async findTunnelUrl(id) {
      return (await store.find(id))?.tunnelUrl ?? undefined;
    },
    recordReach: (id, reach) =>
      store.recordReach(id, reach, sessions.setReach(id, reach)),
    async markLost() {
      const patience = MISSED_HEARTBEATS * settings.heartbeat_seconds * 1_000;
      const now = clock.now();
      return (await store.markLost(now - patience, now)).length;
    },
    prune: () =>
      store.prune(clock.now() - settings.retention_hours * 3_600_000),
  };
}

function workerNotFound(id: string): GridError {
  return new GridError(
    workerProblems.worker_not_found,
    `Cannot find worker "${id}": there is none with this id, expected one of GET /v1/workerpool/workers`,
  );
}

function workerReplaced(name: string): GridError {
  return new GridError(
    workerProblems.worker_replaced,
    `Cannot serve worker "${name}": a newer process of it has registered, expected that this one ends; give one of the two another --worker-name`,
  );
}
