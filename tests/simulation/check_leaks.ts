import type { Entry } from "./ledger.ts";
import type { SimWorker } from "./sim_worker.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** Longest time that a browser may outlive its session, while its worker could see to it. */
const OUTLIVED_MS = 30_000;

/** Longest time that a session may be held for no browser: its claim is asked for again, or its lease runs out. */
const EMPTY_MS = 75_000;

/** Time for which all required parts must have been healthy before the limit counts. */
const SETTLED_MS = 5_000;

/** Time between two looks. */
const LOOK_MS = 500;

/** Browsers without a session, and sessions without a browser, do not last. */
export class LeakCheck {
  readonly #world: World;
  readonly #outlived = new Timers();
  readonly #empty = new Timers();
  #lookedAt = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The longest that either has lasted, in milliseconds. */
  get longest(): { readonly outlivedMs: number; readonly emptyMs: number } {
    return {
      outlivedMs: this.#outlived.longest,
      emptyMs: this.#empty.longest,
    };
  }

  afterStep(): void {
    const { now } = this.#world.scheduler;
    const passed = now - this.#lookedAt;
    if (passed < LOOK_MS) return;
    this.#lookedAt = now;
    const { workers, ledger } = this.#world;
    const held = [...ledger.sessions.values()].filter(isHeld);
    const wells = workers.filter((worker) => this.#isWell(worker));
    this.#outlived.count(
      passed,
      this.#lost(workers, held),
      this.#lost(wells, held),
    );
    this.#empty.count(
      passed,
      this.#bare(workers, held),
      this.#bare(wells, held),
    );
    const outlived = this.#outlived.over(OUTLIVED_MS);
    if (outlived) {
      throw new Violation("No browser outlives its session by 30 s", outlived);
    }
    const empty = this.#empty.over(EMPTY_MS);
    if (empty) {
      throw new Violation(
        "No session is held for long without a browser",
        empty,
      );
    }
  }

  /** Browsers whose session their worker does not hold. */
  #lost(
    workers: readonly SimWorker[],
    held: readonly Entry[],
  ): readonly string[] {
    const ids = new Map(
      held.map((
        { id, worker_id },
      ) => [id, this.#world.workerName(worker_id ?? "")]),
    );
    return workers.flatMap(({ machine, name }) =>
      [...machine.browsers].filter(({ sessionId }) =>
        ids.get(sessionId) !== name
      )
        .map(({ sessionId }) => `${sessionId} on ${machine.name}`)
    );
  }

  /** Sessions that a worker holds, and for which it has no browser. */
  #bare(
    workers: readonly SimWorker[],
    held: readonly Entry[],
  ): readonly string[] {
    return held.filter(({ id, worker_id }) => {
      const name = this.#world.workerName(worker_id ?? "");
      const own = workers.filter((worker) => worker.name === name);
      return own.length > 0 &&
        !own.some(({ machine }) =>
          [...machine.browsers].some(({ sessionId }) => sessionId === id)
        );
    }).map(({ id }) => id);
  }

  #isWell({ machine, process, running }: SimWorker): boolean {
    const { now } = this.#world.scheduler;
    return process?.isRunning === true && running !== undefined &&
      now - Math.max(process.wokenAt, process.startedAt) > SETTLED_MS &&
      !machine.engineIsDown && now - machine.engineWokenAt > SETTLED_MS &&
      this.#world.network.isCalm && !this.#world.network.isCut(machine.name) &&
      this.#world.isReachable(SETTLED_MS);
  }
}

/** Durations of several conditions. */
class Timers {
  readonly #lasted = new Map<string, number>();
  longest = 0;

  /** Adds `passed` to those of `all` that are also among `counted`; what is not in `all` begins anew. */
  count(
    passed: number,
    all: readonly string[],
    counted: readonly string[],
  ): void {
    const there = new Set(all);
    for (const each of this.#lasted.keys()) {
      if (!there.has(each)) this.#lasted.delete(each);
    }
    for (const each of counted) {
      const lasted = (this.#lasted.get(each) ?? 0) + passed;
      this.#lasted.set(each, lasted);
      this.longest = Math.max(this.longest, lasted);
    }
  }

  over(mostMs: number): string | undefined {
    const found = [...this.#lasted].find(([, lasted]) => lasted > mostMs);
    return found && `${found[0]}, for ${Math.round(found[1])} ms`;
  }
}

function isHeld({ status }: Entry): boolean {
  return status === "starting" || status === "running";
}
