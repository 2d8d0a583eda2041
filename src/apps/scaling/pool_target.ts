import { createLogger } from "../../core/log.ts";
import type { Clock } from "../../async/clock.ts";
import type { Core } from "../../core/app.ts";
import type { Machines } from "../../core/provider/machines.ts";
import type { Pool, WorkPoolManager } from "../workerpool/manager.ts";
import { openConfig, type ProviderConfig, saveConfig } from "./store/pools.ts";
import type { MachineRow, PoolState, ScaledPool } from "./store/state.ts";

const log = createLogger("apps", "scaling");

/** Time after which a machine that cannot be removed delays no change of the place any more. */
const ABANDON_MS = 15 * 60_000;

/** The machines of a pool and their configuration. */
export interface Target {
  readonly machines: Machines;
  /** Changes with the configuration. */
  readonly version: string;
  /** Changes with the place of the machines. */
  readonly place: string;
  /**
   * False if the pool was deleted, its workers are started otherwise now, or its machines elsewhere. Those that it has
   * drain and are removed.
   */
  readonly isWanted: boolean;
}

/** A configuration, and what the provider makes of it. */
interface Found {
  readonly key: string;
  readonly config: ProviderConfig;
  /** Undefined if the provider has no machines with it, rejects it, or is not installed here. */
  readonly target: Omit<Target, "isWanted"> | undefined;
}

/**
 * Finds how the machines of a pool are run: as its configuration says, or, once it is deleted or changed, as the stored
 * copy of its last configuration does. A configuration with another place of the machines is stored and takes effect
 * once those at the place before are gone: only with the stored one they can be removed.
 */
export class TargetFinder {
  readonly #core: Pick<Core, "db" | "secrets"> & {
    readonly clock: Pick<Clock, "now">;
  };
  readonly #pools: Pick<WorkPoolManager, "findMachines" | "openConfig">;
  #wanted: Found | undefined;
  #stored: Found | undefined;
  /** Keys of a configuration and its copy. */
  #same: string | undefined;

  constructor(
    core: Pick<Core, "db" | "secrets" | "clock">,
    pools: Pick<WorkPoolManager, "findMachines" | "openConfig">,
  ) {
    this.#core = core;
    this.#pools = pools;
  }

  /**
   * Returns the target; undefined if the pool has no machines. Stores the configuration if it has changed, with one
   * round trip.
   *
   * @param busy Ids of the workers about whose machines a call runs.
   */
  async find(
    state: PoolState,
    busy: ReadonlySet<string>,
  ): Promise<Target | undefined> {
    const { pool, stored, machines } = state;
    const wanted = pool && await this.#findWanted(pool);
    if (!pool || !wanted?.target) return await this.#findLast(stored);
    const target = { ...wanted.target, isWanted: true };
    const same = `${wanted.key} ${stored?.providerConfig}`;
    if (this.#same === same) return target;
    const last = stored && await this.#openStored(stored).catch((error) => {
      log.warn("The last configuration of work pool {pool} is lost: {error}", {
        pool: stored.name,
        error,
      });
      return undefined;
    });
    if (
      last?.target?.version === target.version && stored?.name === pool.name
    ) {
      this.#same = same;
      return target;
    }
    if (last?.target && last.target.place !== target.place) {
      const now = this.#core.clock.now();
      const isLeft = (row: MachineRow) =>
        busy.has(row.workerId) || mayExist(row, now);
      if (machines.some(isLeft)) return { ...last.target, isWanted: false };
      logAbandoned(pool, machines);
    }
    const { config } = wanted;
    const { leased: lease } = state;
    // A server without the lease leaves it to the one with it.
    if (!stored || lease) await saveConfig(this.#core, { pool, config, lease });
    return target;
  }

  async #findLast(stored: ScaledPool | undefined): Promise<Target | undefined> {
    if (!stored) return undefined;
    const isKnown = this.#stored?.key === stored.providerConfig;
    const { target } = await this.#openStored(stored);
    if (!target && !isKnown) {
      log.error(
        "Machines of work pool {pool} cannot be removed: provider {provider} is not installed here, or rejects its stored configuration",
        { pool: stored.name, provider: stored.providerType },
      );
    }
    return target && { ...target, isWanted: false };
  }

  async #findWanted(pool: Pool): Promise<Found> {
    const { providerConfig, providerSecrets, providerType, updatedAt } = pool;
    const key = JSON.stringify([updatedAt, providerConfig, providerSecrets]);
    if (this.#wanted?.key === key) return this.#wanted;
    const config = await this.#pools.openConfig(pool);
    const target = this.#resolve(providerType, config);
    return this.#wanted = { key, config, target };
  }

  async #openStored(stored: ScaledPool): Promise<Found> {
    const key = stored.providerConfig;
    if (this.#stored?.key === key) return this.#stored;
    const config = await openConfig(this.#core.secrets, stored);
    const target = this.#resolve(stored.providerType, config);
    return this.#stored = { key, config, target };
  }

  #resolve(providerType: string, config: ProviderConfig): Found["target"] {
    const machines = this.#pools.findMachines({
      providerType,
      providerConfig: { ...config },
      providerSecrets: null,
    });
    return machines && {
      machines,
      version: JSON.stringify([providerType, config]),
      place: JSON.stringify([providerType, machines.place]),
    };
  }
}

/** Reports whether a machine may be there, and its removal can still succeed. */
function mayExist(
  { acceptedAt, attempts, status, statusAt }: MachineRow,
  now: number,
): boolean {
  // No start succeeded, such as at a place that does not exist. The next one happens at the new place.
  if (acceptedAt === null && attempts > 0) return false;
  return status !== "removing" || now - statusAt <= ABANDON_MS;
}

function logAbandoned(
  { name, id }: Pick<Pool, "name" | "id">,
  machines: readonly MachineRow[],
): void {
  const left = machines.filter(({ acceptedAt }) => acceptedAt !== null);
  if (left.length === 0) return;
  log.error(
    "Machines of work pool {pool} could not be removed from their last place within {minutes} minutes: remove those of workers {worker_ids} there",
    {
      pool: name,
      work_pool_id: id,
      minutes: ABANDON_MS / 60_000,
      worker_ids: left.map(({ workerId }) => workerId).join(", "),
    },
  );
}
