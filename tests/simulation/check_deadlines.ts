import { isTerminal } from "../../src/apps/sessions/status.ts";
import type { Entry } from "./ledger.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** Maximum delay after a deadline in a healthy grid: a command, a lost lease, one or two passes of the reconciler. */
const SLACK_MS = 75_000;

/** Minimum uptime of a healthy server: a younger one expires no lease. */
const SETTLED_MS = 45_000;

/** Time between two looks. */
const LOOK_MS = 1_000;

/** Every session is terminal by its deadline, counted while a server could see to it. */
export class DeadlineCheck {
  readonly #world: World;
  readonly #overdue = new Map<string, number>();
  #lookedAt = 0;

  constructor(world: World) {
    this.#world = world;
  }

  afterStep(): void {
    const { now } = this.#world.scheduler;
    const passed = now - this.#lookedAt;
    if (passed < LOOK_MS) return;
    this.#lookedAt = now;
    if (!this.#world.isWell(SETTLED_MS)) return;
    const wall = this.#world.serverNow();
    for (const entry of this.#world.ledger.sessions.values()) {
      if (isTerminal(entry.status)) this.#overdue.delete(entry.id);
      else if (wall > findDeadline(entry)) this.#add(entry, passed);
    }
  }

  #add(entry: Entry, passed: number): void {
    const overdue = (this.#overdue.get(entry.id) ?? 0) + passed;
    this.#overdue.set(entry.id, overdue);
    if (overdue <= SLACK_MS) return;
    throw new Violation(
      "Every session is terminal by its deadline",
      `${entry.id} is ${entry.status} for ${overdue} ms after it`,
    );
  }
}

/** Returns the time at which the session must have ended, also by the idle timeout. */
function findDeadline(entry: Entry): number {
  const { status, queue_deadline_at, expires_at, attended_until } = entry;
  return Math.min(
    expires_at,
    status === "pending" ? queue_deadline_at : Infinity,
    attended_until ?? Infinity,
  );
}
