import { FAULT_NAMES, type FaultName, FAULTS } from "./faults.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Injects faults repeatedly until it is stopped; then all of them end. */
export class FaultSchedule {
  /** Number of injections by fault. */
  readonly counts = new Map<FaultName, number>();
  readonly #world: World;
  readonly #random: Random;
  readonly #names: readonly FaultName[];
  readonly #meanMs: number;
  readonly #active = new Set<() => void | Promise<void>>();
  #isOver = false;

  /** @param only The kinds that may be injected; some of them, chosen by the seed, are left out. */
  constructor(
    world: World,
    random: Random,
    only: readonly FaultName[] = FAULT_NAMES,
  ) {
    this.#world = world;
    this.#random = random;
    // Runs differ in kind: what many faults together hide, fewer show.
    const chosen = only.filter(() => random.chance(0.7));
    this.#names = chosen.length > 0 ? chosen : only;
    this.#meanMs = random.between(3_000, 15_000);
    this.#next();
  }

  /** Ends every fault that is still there, one step each. */
  stop(): void {
    this.#isOver = true;
    for (const end of this.#active) this.#world.scheduler.after(0, end);
  }

  #next(): void {
    if (this.#names.length === 0) return;
    const pause = this.#random.exponential(this.#meanMs);
    this.#world.scheduler.after(pause, () => {
      if (this.#isOver) return;
      this.#inject(this.#random.pick(this.#names));
      this.#next();
    });
  }

  #inject(name: FaultName): void {
    const injected = FAULTS[name](this.#world, this.#random);
    if (!injected) return;
    const { where, lastsMs, end } = injected;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#world.log(`! ${name} ${where} for ${Math.round(lastsMs)} ms`);
    const once = async () => {
      if (!this.#active.delete(once)) return;
      this.#world.log(`. ${name} ${where} is over`);
      await end();
    };
    this.#active.add(once);
    this.#world.scheduler.after(lastsMs, once);
  }
}
