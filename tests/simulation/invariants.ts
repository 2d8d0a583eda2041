import { CapacityCheck } from "./check_capacity.ts";
import { DeadlineCheck } from "./check_deadlines.ts";
import { OwnershipCheck } from "./check_ownership.ts";
import { KeyCheck } from "./check_keys.ts";
import { LeakCheck } from "./check_leaks.ts";
import { checkTransitions } from "./check_transitions.ts";
import { checkUse } from "./check_use.ts";
import type { Change } from "./ledger.ts";
import type { World } from "./world.ts";

/** Everything that must hold after every step. */
export class Invariants {
  readonly #world: World;
  readonly #capacity: CapacityCheck;
  readonly #ownership: OwnershipCheck;
  readonly #deadlines: DeadlineCheck;
  readonly #keys = new KeyCheck();
  readonly leaks: LeakCheck;

  constructor(world: World) {
    this.#world = world;
    this.#capacity = new CapacityCheck(world);
    this.#ownership = new OwnershipCheck(world);
    this.#deadlines = new DeadlineCheck(world);
    this.leaks = new LeakCheck(world);
  }

  /** @throws {Violation} When something does not hold. */
  async afterStep(): Promise<void> {
    const news = await this.#world.news();
    if (news) {
      for (const change of news.changes) this.#log(change);
      checkTransitions(news);
      checkUse(news);
      for (const change of news.changes) {
        this.#capacity.onChange(change);
        this.#keys.onChange(change);
      }
    }
    this.#capacity.afterStep();
    this.#ownership.afterStep();
    this.#deadlines.afterStep();
    this.leaks.afterStep();
  }

  #log({ before, after }: Change): void {
    const { id, status, worker_id, fencing_token } = after;
    if (before?.status === status && before.fencing_token === fencing_token) {
      return;
    }
    const worker = worker_id === null ? "" : ` with ${worker_id}`;
    this.#world.log(
      `  ${id} ${
        before?.status ?? "is made"
      } > ${status}${worker} #${fencing_token}`,
    );
  }
}
