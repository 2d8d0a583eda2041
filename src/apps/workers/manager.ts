import { uuidv7 } from "uuidv7";
import { isUuid } from "../../core/text.ts";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import type { SeriesPage, SeriesQuery } from "../../db/series/reader.ts";
import { SeriesRollUp } from "../../db/series/roll_up.ts";
import { requirePool } from "../../http/auth/access.ts";
import {
  type WorkerCaller,
  wrongWorkerSecret,
} from "../../http/auth/worker_caller.ts";
import { type ListPage, toListPage } from "../../http/page.ts";
import type { SessionManager } from "../sessions/manager.ts";
import type { PoolScope, WorkPoolManager } from "../workerpool/manager.ts";
import { type ClaimOptions, ClaimWaiter } from "./claim_waiter.ts";
import { workerProblems } from "./problems.ts";
import { renderReadyBrowsers } from "./ready.ts";
import {
  addProof,
  poolFull,
  providerMismatch,
  renderHeldSession,
  renderTimes,
  renderTraces,
  toWorkerRow,
  warnIfUnsupported,
  workerInUse,
} from "./registration.ts";
import type { Registration, WorkerInput } from "./schemas.ts";
import type {
  ClaimResponse,
  HeartbeatBody,
  HeartbeatResponse,
  WorkerCommand,
} from "./schemas/service.ts";
import { buildHeartbeat } from "./store/heartbeat.ts";
import { workerSeries } from "./store/metrics.ts";
import { selectReadyShare } from "./store/ready_share.ts";
import { RegistrationStore } from "./store/registration.ts";
import { TunnelStore } from "./store/tunnels.ts";
import type { WorkerListOptions } from "./store/list_workers.ts";
import { WorkerStore } from "./store/workers.ts";
import { renderWorker, type WorkerMetric, type WorkerRow } from "./worker.ts";

/** Number of missed heartbeats after which a worker is offline. */
const MISSED_HEARTBEATS = 3;

/**
 * Registers workers, serves their heartbeats and claims, and drains them.
 *
 * Every method that takes the id of a worker throws `worker_not_found` if the worker does not exist.
 */
export class WorkerManager {
  readonly #core: Core;
  readonly #pools: WorkPoolManager;
  readonly #sessions: SessionManager;
  readonly #store: WorkerStore;
  readonly #registrations: RegistrationStore;
  readonly #tunnels: TunnelStore;
  readonly #claims: ClaimWaiter;
  readonly #rollUp: SeriesRollUp;

  constructor(core: Core, pools: WorkPoolManager, sessions: SessionManager) {
    this.#core = core;
    this.#pools = pools;
    this.#sessions = sessions;
    this.#store = new WorkerStore(core.db);
    this.#registrations = new RegistrationStore(core.db);
    this.#tunnels = new TunnelStore(core.db);
    this.#rollUp = new SeriesRollUp(core, workerSeries);
    this.#claims = new ClaimWaiter(
      core,
      sessions,
      (id, caller) => this.#reject(id, caller),
    );
  }

  /**
   * Registers a worker, or a new process of a known worker.
   *
   * @throws {GridError} `pool_not_found`, `provider_mismatch`, `worker_in_use` - name or id belong to another worker,
   * `pool_full` - the pool has its maximum number of workers, `forbidden` - the caller is restricted to another pool.
   */
  async register(
    input: WorkerInput,
    caller: PoolScope = {},
  ): Promise<Registration> {
    const pool = await this.#pools.get(input.work_pool_id);
    requirePool(caller, { id: pool.id, ref: input.work_pool_id });
    if (input.provider_type && input.provider_type !== pool.providerType) {
      throw providerMismatch(input.provider_type, pool);
    }
    const known = input.id ? await this.#store.find(input.id) : undefined;
    const proven = addProof(input);
    const now = this.#core.clock.now();
    const row = await toWorkerRow(proven, { pool, now, known });
    const { worker, others, gridId, held } = await this.#registrations.register(
      {
        row,
        isKnownId: known !== undefined,
        gridId: uuidv7(),
        takeOver: (scope) => this.#sessions.takeOver(scope),
      },
    );
    if (!worker) {
      const max = pool.maxWorkers ?? Infinity;
      throw others < max ? workerInUse(row.name) : poolFull(pool.name, max);
    }
    const { bus, settings, version } = this.#core;
    bus.publish({
      type: "worker_registered",
      subject: worker.id,
      worker_id: worker.id,
    });
    const rendered = renderWorker(worker, version);
    warnIfUnsupported(rendered, version);
    return {
      worker: rendered,
      instance_id: proven.instance_id,
      ...(input.secret === undefined ? { secret: proven.secret } : {}),
      grid_id: gridId,
      server_version: version,
      ...this.#pools.getWorkerProvider(pool),
      ...renderTimes(settings),
      held_sessions: held.map(renderHeldSession),
      ...renderTraces(held),
    };
  }

  async get(id: string, { workPoolId }: PoolScope = {}): Promise<WorkerRow> {
    const worker = isUuid(id) ? await this.#store.find(id) : undefined;
    const isElsewhere = workPoolId !== undefined &&
      worker?.workPoolId !== workPoolId;
    if (!worker || isElsewhere) throw workerNotFound(id);
    return worker;
  }

  /** Returns the worker if `caller` is its current process. @throws {GridError} Like {@linkcode heartbeat}. */
  async requireProven(id: string, caller: WorkerCaller): Promise<WorkerRow> {
    const worker = await this.get(id, caller);
    const { secretHash, instanceId } = caller.proof;
    if (worker.secretHash !== secretHash) {
      throw wrongWorkerSecret("serve", worker.name);
    }
    if (worker.instanceId !== instanceId) throw workerReplaced(worker.name);
    return worker;
  }

  /** Lists workers in order of age. */
  async list(options: WorkerListOptions): Promise<ListPage<WorkerRow>> {
    return toListPage(await this.#store.list(options), options.limit);
  }

  /** Returns measurements of a worker's host. One round trip. */
  async metrics(
    id: string,
    query: Omit<SeriesQuery, "id">,
  ): Promise<SeriesPage<WorkerMetric>> {
    const now = this.#core.clock.now();
    const page = isUuid(id)
      ? await this.#store.metrics(id, query, now)
      : undefined;
    if (!page) throw workerNotFound(id);
    return page;
  }

  /** Deletes a worker. @throws {GridError} `worker_busy` - it holds sessions. */
  async remove(id: string): Promise<void> {
    const { name } = await this.get(id);
    const { bus, clock } = this.#core;
    if (await this.#store.remove(id, clock.now())) {
      bus.publish({ type: "worker_deregistered", subject: id, worker_id: id });
      return;
    }
    throw new GridError(
      workerProblems.worker_busy,
      `Cannot delete worker "${name}": it holds sessions, expected none; drain it and wait, or end them`,
    );
  }

  /**
   * Assigns a worker no more sessions, and ends its running sessions after a time.
   *
   * @param timeoutSeconds The setting `drain_timeout_seconds` by default.
   */
  async drain(id: string, timeoutSeconds?: number): Promise<WorkerRow> {
    const { clock, settings } = this.#core;
    const seconds = timeoutSeconds ?? settings.drain_timeout_seconds;
    return await this.#command(id, () => {
      const now = clock.now();
      return this.#store.drain(id, now, now + seconds * 1_000);
    });
  }

  /** Cancels the drain of a worker that has not left yet. */
  async resume(id: string): Promise<WorkerRow> {
    const now = this.#core.clock.now();
    return await this.#command(id, () => this.#store.resume(id, now));
  }

  /**
   * Records a worker's heartbeat and its reports, and returns its commands. One round trip, and a second one if it is
   * rejected.
   *
   * @throws {GridError} `unauthorized` - the secret is wrong, `worker_replaced` - a newer process of the worker has
   * registered.
   */
  async heartbeat(
    id: string,
    body: HeartbeatBody,
    caller: WorkerCaller,
  ): Promise<HeartbeatResponse> {
    if (!isUuid(id)) throw workerNotFound(id);
    const { clock, db, settings } = this.#core;
    const now = clock.now();
    const outcome = await this.#sessions.applyReports(
      id,
      { items: body.sessions, caller, isLast: body.status === "offline" },
      {
        ...buildHeartbeat(db, { id, body, caller, now }),
        last: selectReadyShare(db, id, now),
      },
    );
    const [worker] = outcome.first;
    const [share] = outcome.last;
    if (!worker) return await this.#reject(id, caller);
    this.#claims.recordHeartbeat(id);
    const drain: WorkerCommand[] = worker.drainDeadlineAt === null ? [] : [{
      type: "drain",
      timeout_ms: Math.max(0, worker.drainDeadlineAt - now),
    }];
    return {
      status: worker.status,
      lease_ttl_ms: settings.lease_seconds * 1_000,
      reports: [...outcome.results],
      commands: [...drain, ...outcome.commands],
      ...(outcome.observed.length > 0
        ? { observed: [...outcome.observed] }
        : {}),
      ...(outcome.followed.length > 0
        ? { followed: [...outcome.followed] }
        : {}),
      ready: share && renderReadyBrowsers(
        share,
        await this.#pools.resolveDefaultSession(share.pool),
      ),
    };
  }

  /**
   * Claims sessions for a worker, and waits for some if there are none. Returns undefined if there were none in time.
   * One round trip an attempt.
   *
   * @throws {GridError} Like {@linkcode heartbeat}.
   */
  async claim(
    id: string,
    options: ClaimOptions,
  ): Promise<ClaimResponse | undefined> {
    if (!isUuid(id)) return await this.#reject(id, options.caller);
    return await this.#claims.claim(id, options);
  }

  /**
   * Records that a worker has opened a tunnel to the server that other servers reach at `url`. One round trip, and a
   * second one if it is rejected.
   *
   * @throws {GridError} Like {@linkcode heartbeat}.
   */
  async recordTunnelOpened(
    id: string,
    url: string,
    caller: WorkerCaller,
  ): Promise<void> {
    if (!isUuid(id)) throw workerNotFound(id);
    if (await this.#tunnels.open(id, url, caller)) return;
    await this.#reject(id, caller);
  }

  /** Records that a worker's tunnel is closed, unless it is open at another server. One round trip. */
  async recordTunnelClosed(id: string, url: string): Promise<void> {
    await this.#tunnels.close(id, url);
  }

  /** Finds the URL of the server that has a worker's tunnel; undefined if there is no tunnel. One round trip. */
  async findTunnelUrl(id: string): Promise<string | undefined> {
    return (await this.#store.find(id))?.tunnelUrl ?? undefined;
  }

  /** Records how a worker and its sessions are reached, unless the worker has chosen it. One round trip. */
  async recordReach(id: string, reach: "direct" | "tunnel"): Promise<void> {
    const ofSessions = this.#sessions.setReach(id, reach);
    await this.#tunnels.recordReach(id, reach, ofSessions);
  }

  /** Marks workers without recent heartbeats as offline. Returns their number. For the reconciler. */
  async markLost(): Promise<number> {
    const { clock, settings } = this.#core;
    const silenceMs = MISSED_HEARTBEATS * settings.heartbeat_seconds * 1_000;
    const now = clock.now();
    return await this.#store.markLost(now - silenceMs, now);
  }

  /** Keeps one measurement a minute of those that are old. Returns the number of replaced ones. For the reconciler. */
  rollUpMetrics(): Promise<number> {
    return this.#rollUp.runOnce();
  }

  /** Deletes workers that were offline for longer than the retention time. Returns their number. For the reconciler. */
  async prune(): Promise<number> {
    const { clock, settings } = this.#core;
    const now = clock.now();
    const retentionMs = settings.retention_hours * 3_600_000;
    return await this.#store.prune(now - retentionMs, now);
  }

  /** Writes a change of a worker and wakes its waiting claim. */
  async #command(
    id: string,
    write: () => Promise<WorkerRow | undefined>,
  ): Promise<WorkerRow> {
    const worker = isUuid(id) ? await write() : undefined;
    if (!worker) throw workerNotFound(id);
    this.#core.bus.publish({
      type: "worker_commanded",
      subject: id,
      worker_id: id,
    });
    return worker;
  }

  /** Throws the reason why a caller was not proven to be the worker's current process. */
  async #reject(id: string, caller: WorkerCaller): Promise<never> {
    throw workerReplaced((await this.requireProven(id, caller)).name);
  }
}

function workerNotFound(id: string): GridError {
  return new GridError(
    workerProblems.worker_not_found,
    `Cannot find worker "${id}": no worker has this id, expected one of GET /v1/workerpool/workers`,
  );
}

function workerReplaced(name: string): GridError {
  return new GridError(
    workerProblems.worker_replaced,
    `Cannot serve worker "${name}": a newer process of it has registered, expected this one to end; start one of the two with another --worker-name`,
  );
}
