import { aborted } from "../../async/abortable.ts";
import { deadline } from "../../async/deadline.ts";
import type { Core } from "../../core/app.ts";
import { createLogger } from "../../core/log.ts";
import { PoolScaler } from "./pool_scaler.ts";
import type { ScalerContext } from "./turn.ts";
import { readGridId } from "./store/grid_id.ts";
import {
  findScalablePools,
  releaseLeases,
  type ScalablePool,
} from "./store/pools.ts";

const log = createLogger("apps", "scaling");

/** Time between two passes over all pools. */
const PERIOD_MS = 2_000;

/** Minimum time between two passes, so that a flood of sessions does not cost one each. */
const MIN_PERIOD_MS = 250;

/** Pause before a requested pass, so that it does not delay the session whose creation requested it. */
const WAKE_DELAY_MS = 50;

/** Types of events of the bus after which a pool may need other workers. */
const CHANGES: ReadonlySet<string> = new Set([
  "pool_created",
  "pool_changed",
  "pool_deleted",
  "session_created",
  "session_requeued",
  "sessions_waiting",
]);

/** Parts of a {@linkcode Scaler}. */
export interface ScalerParts
  extends Pick<ScalerContext, "core" | "pools" | "workers" | "keys"> {
  /** Names of the installed providers with machines. */
  readonly providers: readonly string[];
}

/**
 * Starts, drains and removes the machines of all pools whose providers have machines.
 *
 * Several servers may do so at once: each pool has one server that acts for it, by a lease, and each decision is fenced
 * by the number of the pass.
 */
export class Scaler implements AsyncDisposable {
  readonly #parts: ScalerParts;
  readonly #context: ScalerContext;
  readonly #scalers = new Map<string, PoolScaler>();
  /** Pools without machines at their current configuration, by the time of its change. */
  readonly #others = new Map<string, number>();
  readonly #failing = new Set<string>();
  readonly #stop = new AbortController();
  #wake: () => void = () => {};
  #isWoken = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: ScalerParts) {
    this.#parts = parts;
    const { core } = parts;
    let gridId: Promise<string> | undefined;
    this.#context = {
      ...parts,
      server: crypto.randomUUID(),
      gridId: () =>
        gridId ??= readGridId(core.db).catch((error) => {
          gridId = undefined;
          throw error;
        }),
      wake: () => this.wake(),
    };
  }

  /** Starts the passes. Disposal ends them and the calls of the infrastructure, and releases the pools. */
  start(): this {
    this.#loop = this.#run();
    return this;
  }

  /** Requests a pass soon. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Makes one pass over all pools. One round trip for all, and at least one for each pool with machines. */
  async runOnce(): Promise<void> {
    const { core: { db }, providers } = this.#parts;
    this.#isWoken = false;
    const pools = await findScalablePools(db, providers);
    await this.#dropOthers(pools);
    await Promise.all(pools.map((pool) => this.#passOver(pool)));
  }

  /** Resolves when the calls of the infrastructure that run now have ended. */
  async settle(): Promise<void> {
    await Promise.all([...this.#scalers.values()].map((one) => one.settle()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await Promise.all(
      [...this.#scalers.values()].map((each) => each[Symbol.asyncDispose]()),
    );
    if (this.#scalers.size === 0) return;
    this.#scalers.clear();
    // Without it, another server waits for the end of the leases.
    await releaseLeases(this.#parts.core.db, this.#context.server)
      .catch((error) =>
        log.debug("Releasing the pools failed: {error}", { error })
      );
  }

  async #passOver({ id, updatedAt }: ScalablePool): Promise<void> {
    if (updatedAt !== null && this.#others.get(id) === updatedAt) return;
    const scaler = this.#scalers.get(id) ?? new PoolScaler(id, this.#context);
    this.#scalers.set(id, scaler);
    try {
      const hasMachines = await scaler.pass();
      this.#failing.delete(id);
      if (hasMachines) return void this.#others.delete(id);
      if (updatedAt !== null) this.#others.set(id, updatedAt);
      await this.#drop(id);
    } catch (error) {
      if (!this.#failing.has(id)) {
        log.warn("Scaling of work pool {work_pool_id} failed: {error}", {
          work_pool_id: id,
          error,
        });
      }
      this.#failing.add(id);
    }
  }

  async #dropOthers(pools: readonly ScalablePool[]): Promise<void> {
    const ids = new Set(pools.map(({ id }) => id));
    for (const known of [this.#others, this.#scalers, this.#failing]) {
      for (const id of known.keys()) {
        if (ids.has(id)) continue;
        if (known === this.#scalers) await this.#drop(id);
        else known.delete(id);
      }
    }
  }

  async #drop(id: string): Promise<void> {
    await this.#scalers.get(id)?.[Symbol.asyncDispose]();
    this.#scalers.delete(id);
  }

  async #run(): Promise<void> {
    const { core } = this.#parts;
    const { signal } = this.#stop;
    using _subscription = core.bus.subscribe(({ type, work_pool_id: id }) => {
      const isOwn = id !== undefined && this.#scalers.has(id);
      if (CHANGES.has(type) && (isOwn || type.startsWith("pool_"))) {
        this.wake();
      }
    });
    while (!signal.aborted) {
      await this.#runSafely(core);
      await core.clock.sleep(MIN_PERIOD_MS, signal).catch(() => {});
      await this.#pause(core);
      if (!this.#isWoken) continue;
      await core.clock.sleep(WAKE_DELAY_MS, signal).catch(() => {});
    }
  }

  async #runSafely({ stopping }: Core): Promise<void> {
    try {
      await this.runOnce();
      this.#failing.delete("");
    } catch (error) {
      if (this.#failing.has("") || stopping.aborted) return;
      this.#failing.add("");
      log.warn("Scaling of work pools failed: {error}", { error });
    }
  }

  /** Waits until the next pass is due, or was requested. */
  async #pause({ clock }: Core): Promise<void> {
    if (this.#isWoken) return;
    const { promise: woken, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    using wait = deadline(
      clock,
      PERIOD_MS * (0.75 + Math.random() / 2),
      this.#stop.signal,
    );
    await Promise.race([woken, aborted(wait.signal)]);
    this.#wake = () => {};
  }
}
