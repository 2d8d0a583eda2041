import type { Change, Entry } from "./ledger.ts";
import type { MachineBrowser } from "./machine.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/**
 * Held sessions stay within the capacity of their worker and the limits of their pool, browsers within the capacity of
 * their machine.
 */
export class CapacityCheck {
  readonly #world: World;
  readonly #byWorker = new Map<string, number>();
  readonly #byPool = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  onChange({ before, after }: Change): void {
    if (before && isHeld(before)) this.#count(before, -1);
    if (!isHeld(after)) return;
    this.#count(after, 1);
    const isClaim = !before || !isHeld(before);
    if (isClaim) this.#checkClaim(after);
  }

  afterStep(): void {
    for (const { machine, process } of this.#world.workers) {
      if (!process) continue;
      const own = [...machine.browsers].filter((browser) =>
        browser.owner === process && this.#isWanted(browser)
      );
      if (own.length > machine.capacity) {
        throw new Violation(
          "A worker runs no more browsers than its capacity",
          `${machine.name} runs ${own.length} of ${machine.capacity}`,
        );
      }
    }
  }

  /** Browsers that were found and will be swept do not count. */
  #isWanted({ sessionId, isAdopted }: MachineBrowser): boolean {
    const entry = this.#world.ledger.sessions.get(sessionId);
    return !isAdopted || entry !== undefined && isHeld(entry);
  }

  #count({ worker_id, work_pool_id }: Entry, by: number): void {
    add(this.#byWorker, worker_id ?? "", by);
    add(this.#byPool, work_pool_id, by);
  }

  #checkClaim({ id, worker_id, work_pool_id }: Entry): void {
    const pool = this.#world.findPool(work_pool_id);
    const most = Math.min(
      this.#world.readCapacity(worker_id ?? ""),
      pool.max_sessions_per_worker ?? Infinity,
    );
    const held = this.#byWorker.get(worker_id ?? "") ?? 0;
    if (held > most) {
      throw new Violation(
        "A worker holds no more sessions than its capacity",
        `with ${id} worker ${worker_id} holds ${held} of ${most}`,
      );
    }
    const all = this.#byPool.get(work_pool_id) ?? 0;
    if (all > (pool.max_sessions ?? Infinity)) {
      throw new Violation(
        "A pool holds no more sessions than its max_sessions",
        `with ${id} pool ${pool.name} holds ${all} of ${pool.max_sessions}`,
      );
    }
  }
}

function isHeld({ status }: Entry): boolean {
  return status === "starting" || status === "running";
}

function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
