import { v7 as uuid } from "uuid";
import { requirePool } from "../../http/auth/access.ts";
import type { Core } from "../../core/app.ts";
import type { Caller } from "../../core/caller.ts";
import type { OperatingSystem } from "../../core/browser_spec.ts";
import { GridError } from "../../core/errors.ts";
import { describeFaults } from "../../http/validation_issues.ts";
import type { Provider } from "../../core/provider.ts";
import { UnknownNameError } from "../../core/registry.ts";
import { type ListPage, toListPage } from "../../http/page.ts";
import {
  assignPool,
  canStart,
  findStartable,
  type PoolCandidate,
  poolNotFound,
  type SessionRequest,
} from "./assignment.ts";
import { resolveEgressPolicy } from "./egress.ts";
import { applyPoolDefaults, type ResolvedSession } from "./defaults.ts";
import {
  type Pool,
  type PoolFields,
  toPoolFields,
  toPoolInput,
} from "./pool.ts";
import { toChange, toReplacement } from "./read_back.ts";
import type {
  PoolChange,
  PoolInput,
  PoolReplacement,
  Pressure,
} from "./schemas.ts";
import type { PoolStatus } from "./status.ts";
import { openPool } from "./store/secrets.ts";
import type {
  PoolListOptions,
  PoolLoad,
  PoolPressure,
  PoolStore,
} from "./store/pools.ts";
import { poolProblems } from "./problems.ts";

export type { Pool } from "./pool.ts";
export { resolveEgressPolicy } from "./egress.ts";
export { countPoolRoom } from "./store/room.ts";

/** Where a session goes, and what it comes to there. */
export interface Assignment {
  readonly pool: Pool;
  readonly session: ResolvedSession;
}

/** For whom there may be one work pool only. */
export type PoolScope = Pick<Caller, "workPoolId">;

/** The caller that requests a session. */
type Requester = PoolScope & Partial<Pick<Caller, "role">>;

/** The rules of work pools. A pool is named by its id or its name. */
export interface WorkPoolManager {
  /**
   * Finds the pool for a session. One round trip.
   *
   * @throws {GridError} As {@linkcode assignPool} and {@linkcode applyPoolDefaults}; `forbidden` — the caller may not use the pool that is named.
   */
  assign(want: SessionRequest, caller?: Requester): Promise<Assignment>;
  /**
   * Returns the session that an empty request resolves to in a stored pool; undefined if the provider starts no such
   * browser. No round trip.
   */
  resolveDefaultSession(stored: Pool): Promise<ResolvedSession | undefined>;
  /** @throws {GridError} `unknown_provider`, `invalid_provider_config`, `pool_name_taken`. */
  create(input: PoolInput): Promise<Pool>;
  /** @throws {GridError} `pool_not_found`. */
  get(ref: string, caller?: PoolScope): Promise<Pool>;
  /** In order of id. */
  list(page: PoolListOptions): Promise<ListPage<Pool>>;
  /** @throws {GridError} Like create; `read_only_member` — a read-only member differs from the pool's. */
  replace(ref: string, input: PoolReplacement): Promise<Pool>;
  /** @throws {GridError} Like replace. */
  patch(ref: string, patch: PoolChange): Promise<Pool>;
  /**
   * Deletes a pool and its ended sessions.
   *
   * @param force Deletes the pool even if workers are online; they then end.
   * @throws {GridError} `pool_in_use` — the pool has live sessions or, without `force`, workers that are not offline.
   */
  remove(ref: string, force?: boolean): Promise<void>;
  /** Returns the reasons why no session can be started in a pool, each as a sentence. No I/O. */
  findWarnings(pool: Pool): readonly string[];
  setStatus(ref: string, status: PoolStatus): Promise<Pool>;
  getPressure(ref: string, caller?: PoolScope): Promise<Pressure>;
  /** For the reconciler: draining pools without a live session become inactive. Returns how many. */
  finishDrains(): Promise<number>;
}

/** The manager over `store`. */
export function createPoolManager(
  core: Core,
  store: PoolStore,
): WorkPoolManager {
  async function get(ref: string, caller: PoolScope = {}): Promise<Pool> {
    const pool = await store.find(ref);
    if (!pool || !isInScope(caller, pool)) throw poolNotFound(ref);
    return pool;
  }

  /** Writes and wakes the workers that wait for sessions: their pool may have resumed or grown. */
  async function update(id: string, fields: Partial<PoolFields>) {
    const updated = await store.update(id, fields, core.clock.now());
    if (!updated) throw poolNotFound(id);
    core.bus.publish({ type: "pool_changed", subject: id, work_pool_id: id });
    return updated;
  }

  /** The session that `want` comes to in a pool whose provider has `choices`. */
  function resolve(
    want: SessionRequest,
    candidate: Pick<PoolCandidate, "pool" | "choices" | "systems">,
  ): ResolvedSession {
    const { pool, choices: [first], systems } = candidate;
    const [chosen] = findStartable(want, candidate);
    const { operatingSystems = systems } = chosen ?? {};
    return applyPoolDefaults(want, pool, {
      browser: first?.browser ?? "chrome",
      operatingSystem: operatingSystems?.[0] ?? "linux",
      timeoutMinutes: core.settings.session_timeout_minutes,
    });
  }

  /** The fields of `input` for `pool`, checked. */
  function checkFields(pool: Pool, input: PoolInput): PoolFields {
    const checked = checkProviderConfig(core, input);
    if (checked.provider_type !== pool.providerType) {
      throw new GridError(
        poolProblems.provider_mismatch,
        `Cannot change the provider of work pool "${pool.name}": it is "${pool.providerType}", expected the same; make a new pool for another`,
      );
    }
    return toPoolFields(checked);
  }

  return {
    get,
    async assign(want, caller = {}) {
      const ref = want.work_pool_id;
      const loads = (await store.readLoads(ref ?? caller.workPoolId)).filter((
        { pool },
      ) => isInScope(caller, pool));
      if (ref !== undefined) {
        requirePool(caller, { id: loads[0]?.pool.id, ref });
      }
      const best = assignPool(
        want,
        loads.map((load) => toCandidate(core, load, caller)),
      );
      return { pool: best.pool, session: resolve(want, best) };
    },
    async resolveDefaultSession(stored) {
      const pool = await openPool(core.secrets, stored);
      const able = { pool, choices: findChoices(core, pool) };
      return canStart({}, able) ? resolve({}, able) : undefined;
    },
    async create(input) {
      const now = core.clock.now();
      const fields = toPoolFields(checkProviderConfig(core, input));
      const pool = { ...fields, id: uuid(), createdAt: now, updatedAt: now };
      await store.insert(pool);
      return pool;
    },
    async list(page) {
      return toListPage(await store.list(page), page.limit);
    },
    async replace(ref, input) {
      const pool = await get(ref);
      const given = toReplacement(await openPool(core.secrets, pool), input);
      return await update(pool.id, checkFields(pool, given));
    },
    async patch(ref, patch) {
      const pool = await get(ref);
      const given = toChange(await openPool(core.secrets, pool), patch);
      const input = { ...toPoolInput(pool), ...omitUndefined(given) };
      return await update(pool.id, pickChanged(pool, checkFields(pool, input)));
    },
    async remove(ref, force = false) {
      const pool = await get(ref);
      if (await store.remove(pool.id, force)) return;
      const load = await store.readPressure(pool.id);
      const { pending = 0, starting = 0, running = 0 } = load ?? {};
      const isLive = pending + starting + running > 0;
      throw new GridError(
        poolProblems.pool_in_use,
        isLive || force
          ? `Cannot delete work pool "${pool.name}": it has live sessions, expected none; drain it and wait, or end them`
          : `Cannot delete work pool "${pool.name}": it has workers that are not offline, expected none; drain them and wait, or use force=true, which ends them`,
      );
    },
    findWarnings(pool) {
      const choices = findChoices(core, pool);
      if (choices.length === 0) {
        return [
          `No session can be started in work pool "${pool.name}": this version starts no browsers with provider "${pool.providerType}", and rejects sessions for it with browser_not_available`,
        ];
      }
      if (canStart({}, { pool, choices })) return [];
      return [
        `Cannot start a session with the defaults of work pool "${pool.name}": its provider "${pool.providerType}" has no such browser`,
      ];
    },
    setStatus: async (ref, status) =>
      await update((await get(ref)).id, { status }),
    finishDrains: () => store.finishDrains(core.clock.now()),
    async getPressure(ref, caller = {}) {
      const pressure = await store.readPressure(ref);
      if (!pressure || !isInScope(caller, pressure.pool)) {
        throw poolNotFound(ref);
      }
      return renderPressure(pressure, core.clock.now());
    },
  };
}

function isInScope({ workPoolId }: PoolScope, { id }: Pool): boolean {
  return workPoolId === undefined || workPoolId === id;
}

function findProvider(core: Core, name: string): Provider {
  try {
    return core.providers.get(name);
  } catch (error) {
    if (!(error instanceof UnknownNameError)) throw error;
    throw new GridError(poolProblems.unknown_provider, error.message, {
      known: [...core.providers].map((each) => each.name),
    });
  }
}

/** The input with its provider_config checked and its defaults filled in. */
function checkProviderConfig(core: Core, input: PoolInput): PoolInput {
  const { configSchema } = findProvider(core, input.provider_type);
  const parsed = configSchema.safeParse(input.provider_config);
  if (parsed.success) return { ...input, provider_config: parsed.data };
  const { issues } = parsed.error;
  const { listed, detail } = describeFaults(issues, ["provider_config"]);
  throw new GridError(
    poolProblems.invalid_provider_config,
    `Cannot use the configuration of provider "${input.provider_type}": ${detail}`,
    { errors: listed },
  );
}

function toCandidate(
  core: Core,
  { hosts, ...load }: PoolLoad,
  { role }: Requester,
): PoolCandidate {
  const { pool } = load;
  const systems = hosts.flatMap((host) => SYSTEMS[host] ?? []);
  return {
    ...load,
    choices: findChoices(core, pool),
    // A pool without workers may get one on Linux; other systems are accepted only after such a worker has registered.
    systems: systems.length > 0 ? systems : ["linux"],
    unsupported(want) {
      const found = findConfiguredProvider(core, pool);
      const proxy = want.proxy ?? pool.defaultProxy ?? undefined;
      const { mode } = resolveEgressPolicy(pool, role === "client");
      return found?.provider.unsupported?.(
        { proxy, egress: mode },
        found.config,
      );
    },
  };
}

/** Operating systems by the names that the runtime uses, which workers report. */
const SYSTEMS: Readonly<Record<string, OperatingSystem>> = {
  linux: "linux",
  darwin: "macos",
  windows: "windows",
};

/** A pool whose provider is not installed here starts nothing. */
function findChoices(core: Core, pool: Pool): PoolCandidate["choices"] {
  const found = findConfiguredProvider(core, pool);
  return found ? found.provider.browsers(found.config) : [];
}

/**
 * Returns the pool's provider and its configuration; undefined if the provider is not installed here or rejects the
 * configuration.
 */
function findConfiguredProvider(
  core: Core,
  { providerType, providerConfig }: Pool,
) {
  const provider = [...core.providers].find(({ name }) =>
    name === providerType
  );
  const config = provider?.configSchema.safeParse(providerConfig);
  return provider && config?.success
    ? { provider, config: config.data }
    : undefined;
}

/** Fields that differ: what others change at the same time stays as they set it. */
function pickChanged(pool: Pool, fields: PoolFields): Partial<PoolFields> {
  const own: Readonly<Record<string, unknown>> = pool;
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(own[name])
    ),
  );
}

function omitUndefined(patch: Readonly<object>): Partial<PoolInput> {
  return Object.fromEntries(
    Object.entries(patch).filter(([, value]) => value !== undefined),
  );
}

function renderPressure(load: PoolPressure, now: number): Pressure {
  const { pool, oldestPendingAt } = load;
  return {
    work_pool_id: pool.id,
    status: pool.status,
    pending: load.pending,
    starting: load.starting,
    running: load.running,
    max_sessions: pool.maxSessions,
    max_queue: pool.maxQueue,
    workers_online: load.workersOnline,
    capacity: load.capacity,
    oldest_pending_seconds: oldestPendingAt === null
      ? null
      : Math.max(0, (now - oldestPendingAt) / 1_000),
    ready: load.ready,
    min_ready: pool.minReady,
  };
}
