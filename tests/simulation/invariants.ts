import { CapacityCheck } from "./check_capacity.ts";
import { DeadlineCheck } from "./check_deadlines.ts";
import { OwnershipCheck } from "./check_ownership.ts";
import { KeyCheck } from "./check_keys.ts";
import { checkTransitions } from "./check_transitions.ts";
import type { World } from "./world.ts";

/** Everything that must hold after every step. */
export class Invariants {
  readonly #world: World;
  readonly #capacity: CapacityCheck;
  readonly #ownership: OwnershipCheck;
  readonly #deadlines: DeadlineCheck;
  readonly #keys = new KeyCheck();

  constructor(world: World) {
    this.#world = world;
    this.#capacity = new CapacityCheck(world);
    this.#ownership = new OwnershipCheck(world);
    this.#deadlines = new DeadlineCheck(world);
  }

  /** @throws {Violation} When something does not hold. */
  async afterStep(): Promise<void> {
    const news = await this.#world.news();
    if (news) {
      checkTransitions(news);
      for (const change of news.changes) {
        this.#capacity.onChange(change);
        this.#keys.onChange(change);
      }
    }
    this.#capacity.afterStep();
    this.#ownership.afterStep();
    this.#deadlines.afterStep();
  }
}
