import { uuidv7 } from "uuidv7";
import type { Core } from "../../core/app.ts";
import type { Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import type { Machines } from "../../core/provider/machines.ts";
import { requirePool } from "../../http/auth/access.ts";
import { type ListPage, toListPage } from "../../http/page.ts";
import { assignPool } from "./assignment.ts";
import { poolNotFound } from "./assignment_problems.ts";
import {
  canStart,
  findStartable,
  type SessionRequest,
  type StartablePool,
} from "./candidate.ts";
import { applyPoolDefaults, type ResolvedSession } from "./defaults.ts";
import {
  type Pool,
  type PoolFields,
  type PoolLoadCounts,
  renderPressure,
  toFullConfig,
  toPoolFields,
  toPoolInput,
} from "./pool.ts";
import {
  type ConfiguredPool,
  PoolProviders,
  type WorkerProvider,
} from "./pool_providers.ts";
import { poolProblems } from "./problems.ts";
import { toChange, toReplacement } from "./replacement.ts";
import type {
  PoolChange,
  PoolInput,
  PoolReplacement,
  Pressure,
} from "./schemas.ts";
import type { PoolStatus } from "./status.ts";
import { findStartWarnings } from "./start_warnings.ts";
import { PoolLoadStore } from "./store/load.ts";
import {
  type PoolListOptions,
  PoolStore,
  type PoolUpdate,
} from "./store/pools.ts";
import { removePool } from "./store/remove_pool.ts";
import { openPool } from "./store/secrets.ts";
import { countWantedWorkers } from "./wanted_workers.ts";

export type { Pool } from "./pool.ts";
export { resolveEgressPolicy } from "./defaults.ts";
export {
  countDemand,
  countWantedWorkers,
  resolveWorkerLimits,
  type WorkerDemand,
  type WorkerLimits,
} from "./wanted_workers.ts";

/** Longest time of one request that deletes a pool with many ended sessions. */
const MAX_REMOVAL_MS = 5_000;

/** The pool of a session, and the session with the pool's defaults. */
export interface Assignment {
  readonly pool: Pool;
  readonly session: ResolvedSession;
}

/** A caller that may be restricted to one work pool. */
export type PoolScope = Pick<Caller, "workPoolId">;

/** The caller that requests a session. */
type Requester = PoolScope & Partial<Pick<Caller, "role">>;

/** Creates and changes work pools, and assigns sessions to them. `ref` is a pool's id or name. */
export class WorkPoolManager {
  readonly #core: Core;
  readonly #store: PoolStore;
  readonly #loads: PoolLoadStore;
  readonly #providers: PoolProviders;

  constructor(core: Core) {
    this.#core = core;
    this.#store = new PoolStore(core.db, core.secrets);
    this.#loads = new PoolLoadStore(core.db, core.secrets);
    this.#providers = new PoolProviders(core);
  }

  /**
   * Finds the pool for a session. One round trip.
   *
   * @throws {GridError} Like {@linkcode assignPool} and {@linkcode applyPoolDefaults}; `forbidden` - the caller may not
   * use the requested pool.
   */
  async assign(
    request: SessionRequest,
    caller: Requester = {},
  ): Promise<Assignment> {
    const ref = request.work_pool_id;
    const loads = (await this.#loads.readLoads(ref ?? caller.workPoolId))
      .filter(({ pool }) => isInScope(pool, caller));
    if (ref !== undefined) requirePool(caller, { id: loads[0]?.pool.id, ref });
    const best = assignPool(
      request,
      loads.map((load) => this.#providers.toCandidate(load, caller.role)),
    );
    return { pool: best.pool, session: this.#resolve(request, best) };
  }

  /**
   * Returns the session that an empty request resolves to in a stored pool; undefined if the provider starts no such
   * browser. No round trip.
   */
  async resolveDefaultSession(
    stored: Pool,
  ): Promise<ResolvedSession | undefined> {
    const pool = await openPool(this.#core.secrets, stored);
    const startable = this.#providers.toStartable(pool);
    return canStart({}, startable) ? this.#resolve({}, startable) : undefined;
  }

  /**
   * Creates a pool.
   *
   * @throws {GridError} `unknown_provider`, `invalid_provider_config`, `pool_name_taken`.
   */
  async create(input: PoolInput): Promise<Pool> {
    const now = this.#core.clock.now();
    const fields = toPoolFields(this.#providers.checkConfig(input));
    const pool = {
      ...fields,
      id: uuidv7(),
      createdAt: now,
      updatedAt: now,
    };
    await this.#store.insert(pool);
    this.#publish("pool_created", pool.id);
    return pool;
  }

  /** Returns a pool. @throws {GridError} `pool_not_found`. */
  async get(ref: string, caller: PoolScope = {}): Promise<Pool> {
    const pool = await this.#store.find(ref);
    if (!pool || !isInScope(pool, caller)) throw poolNotFound(ref);
    return pool;
  }

  /** Lists pools in order of age. */
  async list(options: PoolListOptions): Promise<ListPage<Pool>> {
    return toListPage(await this.#store.list(options), options.limit);
  }

  /**
   * Replaces the fields of a pool.
   *
   * @throws {GridError} Like {@linkcode create}; `read_only_member` - a read-only member differs from the pool's,
   * `provider_mismatch` - the provider differs.
   */
  async replace(ref: string, body: PoolReplacement): Promise<Pool> {
    const pool = await this.get(ref);
    const input = toReplacement(pool, body);
    const fields = this.#checkFields(pool, input);
    const changed = listNames(pickChanged(pool, fields));
    return await this.#update(pool.id, { fields, changed });
  }

  /** Changes some fields of a pool. @throws {GridError} Like {@linkcode replace}. */
  async patch(ref: string, body: PoolChange): Promise<Pool> {
    const pool = await this.get(ref);
    const change = omitUndefined(toChange(pool, body));
    const fields = this.#checkFields(pool, {
      ...toPoolInput(pool),
      ...change,
    });
    const differing = pickChanged(pool, fields);
    return await this.#update(pool.id, {
      fields: differing,
      changed: listNames(differing),
    });
  }

  /**
   * Deletes a pool and its ended sessions.
   *
   * @param force Deletes the pool even if workers are online; they then end.
   * @throws {GridError} `pool_in_use` - the pool has live sessions or, without `force`, workers that are not offline; or
   * it has so many ended sessions that their deletion is not finished.
   */
  async remove(ref: string, force = false): Promise<void> {
    const pool = await this.get(ref);
    const { clock, db } = this.#core;
    const until = clock.monotonic() + MAX_REMOVAL_MS;
    const removal = await removePool(
      db,
      { id: pool.id, force: force ? 1 : 0, now: clock.now() },
      () => clock.monotonic() >= until,
    );
    if (removal === "removed") return this.#publish("pool_deleted", pool.id);
    if (removal === "partial") throw removalUnfinished(pool);
    const load = await this.#loads.readPressure(pool.id);
    const { pending = 0, starting = 0, running = 0 } = load ?? {};
    const isLive = pending + starting + running > 0;
    throw new GridError(
      poolProblems.pool_in_use,
      isLive || force
        ? `Cannot delete work pool "${pool.name}": it has live sessions, expected none; drain it and wait, or end them`
        : `Cannot delete work pool "${pool.name}": it has workers that are not offline, expected none; drain them and wait, or use force=true, which ends them`,
    );
  }

  /** Returns the reasons why no session can be started in a pool, each as a sentence. No I/O. */
  findWarnings(pool: Pool): readonly string[] {
    const address = this.#providers.findAddressProblem(pool);
    return [
      ...findStartWarnings(this.#providers.toStartable(pool)),
      ...(address === undefined ? [] : [address]),
    ];
  }

  /** Returns the provider with which the workers of a pool start browsers. No I/O. */
  getWorkerProvider(pool: Pool): WorkerProvider {
    return this.#providers.toWorkerProvider(pool);
  }

  /** Sets the status of a pool. @throws {GridError} `pool_not_found`. */
  async setStatus(ref: string, status: PoolStatus): Promise<Pool> {
    const { id } = await this.get(ref);
    return await this.#update(id, { fields: { status }, changed: [] });
  }

  /** Returns the load of a pool. @throws {GridError} `pool_not_found`. */
  async getPressure(ref: string, caller: Requester = {}): Promise<Pressure> {
    const load = await this.#loads.readPressure(ref);
    if (!load || !isInScope(load.pool, caller)) throw poolNotFound(ref);
    const wanted = this.countWantedWorkers(load);
    return renderPressure(load, {
      now: this.#core.clock.now(),
      wanted,
      hasMachines: this.#providers.hasMachines(load.pool),
      role: caller.role,
    });
  }

  /** Counts the workers that a stored pool needs for its load. No I/O. */
  countWantedWorkers(load: PoolLoadCounts): number {
    const { pool, pending, starting, running } = load;
    return countWantedWorkers({
      pool,
      pending,
      held: starting + running,
      capacity: this.#providers.resolveWorkerCapacity(load),
    });
  }

  /** Returns the provider's configuration of a stored pool, with its secrets. No round trip. */
  async openConfig(stored: Pool): Promise<Pool["providerConfig"]> {
    return toFullConfig(await openPool(this.#core.secrets, stored));
  }

  /** Returns why the machines of a pool cannot reach this server, as a sentence; undefined if they can. No I/O. */
  findAddressProblem(configured: ConfiguredPool): string | undefined {
    return this.#providers.findAddressProblem(configured);
  }

  /** Returns how a provider runs workers on machines; undefined if it does not with this configuration. No I/O. */
  findMachines(
    configured: ConfiguredPool,
  ): Machines | undefined {
    return this.#providers.findMachines(configured);
  }

  /** Makes draining pools without a live session inactive. Returns their number. For the reconciler. */
  async finishDrains(): Promise<number> {
    return await this.#store.finishDrains(this.#core.clock.now());
  }

  /** Writes fields and wakes waiting workers, because their pool may take sessions again. */
  async #update(id: string, change: PoolUpdate): Promise<Pool> {
    const { clock } = this.#core;
    const updated = await this.#store.update(id, change, clock.now());
    if (!updated) throw poolNotFound(id);
    this.#publish("pool_changed", id);
    return updated;
  }

  #publish(type: string, id: string): void {
    this.#core.bus.publish({ type, subject: id, work_pool_id: id });
  }

  /** Applies the defaults of a pool that can start the session. */
  #resolve(request: SessionRequest, startable: StartablePool): ResolvedSession {
    const { pool, choices: [first], systems } = startable;
    const [chosen] = findStartable(request, startable);
    const { operatingSystems = systems } = chosen ?? {};
    return applyPoolDefaults(request, pool, {
      browser: first?.browser ?? "chrome",
      operatingSystem: operatingSystems?.[0] ?? "linux",
      timeoutMinutes: this.#core.settings.session_timeout_minutes,
    });
  }

  /** Returns the columns of a changed pool. @throws {GridError} `provider_mismatch`. */
  #checkFields(pool: Pool, input: PoolInput): PoolFields {
    const checked = this.#providers.checkConfig(input);
    if (checked.provider_type !== pool.providerType) {
      throw new GridError(
        poolProblems.provider_mismatch,
        `Cannot change the provider of work pool "${pool.name}": it is "${pool.providerType}", expected the same; create a new pool for another provider`,
      );
    }
    return toPoolFields(checked);
  }
}

function removalUnfinished({ name }: Pool): GridError {
  return new GridError(
    poolProblems.pool_in_use,
    `Cannot delete work pool "${name}" yet: its ended sessions are being deleted, expected none; repeat the request to continue`,
  );
}

function isInScope({ id }: Pool, { workPoolId }: PoolScope): boolean {
  return workPoolId === undefined || workPoolId === id;
}

/** Returns the fields that differ, so that concurrent changes of other fields are kept. */
function pickChanged(pool: Pool, fields: PoolFields): Partial<PoolFields> {
  const stored: Readonly<Record<string, unknown>> = pool;
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(stored[name])
    ),
  );
}

function listNames(
  fields: Partial<PoolFields>,
): readonly (keyof PoolFields)[] {
  return Object.keys(fields) as (keyof PoolFields)[]; // The type of Object.keys() has no names.
}

function omitUndefined(change: Readonly<object>): Partial<PoolInput> {
  return Object.fromEntries(
    Object.entries(change).filter(([, value]) => value !== undefined),
  );
}
