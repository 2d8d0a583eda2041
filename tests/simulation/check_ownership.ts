import type { Machine, MachineBrowser } from "./machine.ts";
import { Violation } from "./violation.ts";
import type { SimWorker } from "./sim_worker.ts";
import type { World } from "./world.ts";

/** Time for a resumed worker, or one with a restarted engine, to notice its lost sessions. */
const WAKE_MS = 5_000;

interface Place {
  readonly worker: SimWorker;
  readonly browser: MachineBrowser;
}

/** A session has one owner: browsers of one session at two places are seen here. */
export class OwnershipCheck {
  readonly #world: World;
  /** Sessions with more than one browser, and since when. */
  readonly #doubles = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  afterStep(): void {
    const places = Map.groupBy(
      this.#world.workers.flatMap((worker) =>
        !isWatched(worker)
          ? []
          : [...worker.machine.browsers].map((browser): Place => ({
            worker,
            browser,
          }))
      ),
      ({ browser }) => browser.sessionId,
    );
    for (const [id, found] of places) {
      if (found.length > 1) this.#checkDouble(id, found);
    }
    for (const id of this.#doubles.keys()) {
      if ((places.get(id)?.length ?? 0) < 2) this.#doubles.delete(id);
    }
  }

  #checkDouble(id: string, found: readonly Place[]): void {
    const { now } = this.#world.scheduler;
    const since = this.#doubles.get(id) ?? now;
    this.#doubles.set(id, since);
    const where = found.map(({ worker, browser }) =>
      `${browser.phase} on ${worker.machine.name}`
    ).join(", ");
    const live = found.filter((place) => this.#isOwner(place));
    if (live.length > 1) {
      throw new Violation(
        "A session has at most one owner",
        `${id} is ${where}`,
      );
    }
    if (now - since > this.#world.leaseMs) {
      throw new Violation(
        "A session has a second browser no longer than a lease",
        `${id} is ${where} for ${now - since} ms`,
      );
    }
  }

  /** Reports whether a running process that had time to notice losses counts the browser among its sessions. */
  #isOwner({ worker, browser }: Place): boolean {
    const { machine, process } = worker;
    const { now } = this.#world.scheduler;
    return process !== undefined && browser.owner === process &&
      !process.isSuperseded && !this.#isToBeSwept(worker, browser) &&
      browser.isLive && now - process.wokenAt > WAKE_MS &&
      !isAway(machine, now);
  }

  /** Found by a process that has just begun, whose worker does not hold its session. */
  #isToBeSwept({ name }: SimWorker, browser: MachineBrowser): boolean {
    const entry = this.#world.ledger.sessions.get(browser.sessionId);
    const holder = this.#world.workerName(entry?.worker_id ?? "");
    return browser.isAdopted && holder !== name;
  }
}

/** Browsers of a dead, stopped or unregistered worker have no owner: they cannot be ended before it returns. */
function isWatched({ machine, process, running }: SimWorker): boolean {
  return process?.isRunning === true && running !== undefined &&
    !machine.engineIsDown;
}

function isAway(machine: Machine, now: number): boolean {
  return machine.engineIsDown || now - machine.engineWokenAt < WAKE_MS;
}
