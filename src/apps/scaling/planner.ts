/**
 * Decides how many machines a pool starts and which of its workers drain. Pure: the same input has the same plan.
 *
 * ```text
 * demand = sessions that wait, start or run + warm browsers, at most max_sessions
 * wanted = ceil(demand / capacity of a machine), from min_workers to max_workers
 * ```
 *
 * Growth is immediate. A surplus must last, and as many workers drain as were in excess at every moment of that time.
 *
 * @module
 */
import {
  countDemand,
  countWantedWorkers,
  resolveWorkerLimits,
  type WorkerDemand,
  type WorkerLimits,
} from "../workerpool/manager.ts";

/** A worker of the pool that is not offline. */
export interface PlannedWorker {
  readonly id: string;
  /** Number of sessions that start or run on it. */
  readonly held: number;
  /** Number of sessions that it may hold. */
  readonly capacity: number;
  /** `drained`: its drain can be withdrawn. `leaving`: it takes no sessions, and that stays so. */
  readonly state: "serving" | "drained" | "leaving";
  /** True if it runs on a machine that the server has started. */
  readonly hasMachine: boolean;
  readonly createdAt: number;
}

/** A surplus of workers. */
export interface Surplus {
  /** Time since which there is one. */
  readonly since: number;
  /** The smallest number of surplus workers since then. */
  readonly least: number;
}

/** Input of {@linkcode planMachines}. */
export interface PlanInput extends WorkerDemand {
  readonly workers: readonly PlannedWorker[];
  /** Number of machines that the infrastructure has accepted, and whose workers have not registered. */
  readonly starting: number;
  /** Number of machines that it has not accepted. They can be withdrawn. */
  readonly requested: number;
  /** Number of machines whose workers are offline, until they are removed. */
  readonly silent: number;
  /** False during the pause after a failed start. */
  readonly canStart: boolean;
  readonly surplus: Surplus | undefined;
  readonly now: number;
  /** Time that a surplus must last. */
  readonly scaleDownMs: number;
}

/** The next actions of a pool. */
export interface Plan {
  /** Number of workers that the pool needs. */
  readonly wanted: number;
  /** Number of machines to start. */
  readonly start: number;
  /** Number of requested machines to withdraw. */
  readonly withdraw: number;
  /** Ids of the workers whose drain is withdrawn. */
  readonly resume: readonly string[];
  /** Ids of the workers to drain. */
  readonly drain: readonly string[];
  /** Surplus to remember until the next plan. */
  readonly surplus: Surplus | undefined;
}

/** Browsers and workers that a pool has and needs. */
interface Balance {
  /** Browsers that the workers which take sessions must hold. */
  readonly demand: number;
  /** Browsers that they may hold. */
  readonly room: number;
  /** Their number. */
  readonly count: number;
}

/** Plans the machines of a pool. */
export function planMachines(input: PlanInput): Plan {
  const { capacity, requested, starting, workers } = input;
  const limits = resolveWorkerLimits(input.pool);
  const { min, max } = limits;
  const serving = workers.filter(({ state }) => state === "serving");
  const now = measure(input, serving);
  const coming = requested + starting;
  const resume = chooseResumed(input, {
    demand: now.demand,
    room: now.room + coming * capacity,
    count: now.count + coming,
  }, limits);
  if (resume.length > 0) {
    return { ...planIdle(input), resume: resume.map(({ id }) => id) };
  }
  const missing = Math.max(
    Math.ceil((now.demand - now.room) / capacity),
    min - now.count,
  );
  if (missing > coming && now.count <= max) {
    const allowed = max - workers.length - coming - input.silent;
    const start = Math.max(0, Math.min(missing - coming, allowed));
    return { ...planIdle(input), start: input.canStart ? start : 0 };
  }
  const unneeded = Math.max(0, coming - Math.max(missing, 0));
  const withdraw = Math.min(requested, unneeded);
  return { ...planDrains(input, serving, now), withdraw };
}

/** Returns the plan that changes nothing and remembers no surplus. */
function planIdle(input: PlanInput): Plan {
  return {
    wanted: countWantedWorkers(input),
    start: 0,
    withdraw: 0,
    resume: [],
    drain: [],
    surplus: undefined,
  };
}

/** Measures the workers that take sessions. Sessions of the others stay where they are. */
function measure(
  input: PlanInput,
  serving: readonly PlannedWorker[],
): Balance {
  const elsewhere = add(
    input.workers.filter(({ state }) => state !== "serving"),
    ({ held }) => held,
  );
  return {
    demand: Math.max(0, countDemand(input) - elsewhere),
    room: add(serving, ({ capacity }) => capacity),
    count: serving.length,
  };
}

/** Chooses the drained workers that take sessions again: those with the most sessions first, which leave last. */
function chooseResumed(
  { workers }: PlanInput,
  start: Balance,
  { min, max }: WorkerLimits,
): readonly PlannedWorker[] {
  const chosen: PlannedWorker[] = [];
  let balance = start;
  const candidates = workers
    // A drained worker without sessions is about to leave.
    .filter(({ state, held }) => state === "drained" && held > 0)
    .toSorted((a, b) => b.held - a.held || a.createdAt - b.createdAt);
  for (const worker of candidates) {
    const isEnough = balance.demand <= balance.room && balance.count >= min;
    if (isEnough || balance.count >= max) break;
    chosen.push(worker);
    balance = {
      demand: balance.demand + worker.held,
      room: balance.room + worker.capacity,
      count: balance.count + 1,
    };
  }
  return chosen;
}

/** Plans the drains of a pool that needs no more workers than it has. */
function planDrains(
  input: PlanInput,
  serving: readonly PlannedWorker[],
  balance: Balance,
): Plan {
  const { now, scaleDownMs, surplus } = input;
  const idle = planIdle(input);
  const limits = resolveWorkerLimits(input.pool);
  const excess = chooseExcess(serving, balance, limits);
  if (excess.length === 0) return idle;
  // A time in the future is from before the clock was set back.
  const since = Math.min(surplus?.since ?? now, now);
  const least = Math.min(surplus?.least ?? Infinity, excess.length);
  if (now - since < scaleDownMs) return { ...idle, surplus: { since, least } };
  const rest = excess.length - least;
  return {
    ...idle,
    drain: excess.slice(0, least).map(({ id }) => id),
    surplus: rest > 0 ? { since: now, least: rest } : undefined,
  };
}

/**
 * Chooses the workers that the pool can do without, in this order: those with the fewest sessions first, and of these
 * the youngest. The workers that remain have room for the whole demand, and are at least `min`. More than `max` never
 * remain.
 */
function chooseExcess(
  serving: readonly PlannedWorker[],
  start: Balance,
  { min, max }: WorkerLimits,
): readonly PlannedWorker[] {
  const chosen: PlannedWorker[] = [];
  let { room, count } = start;
  const candidates = serving.filter(({ hasMachine }) => hasMachine)
    .toSorted((a, b) => a.held - b.held || b.createdAt - a.createdAt);
  for (const worker of candidates) {
    const hasRoom = count - 1 >= min && room - worker.capacity >= start.demand;
    if (!hasRoom && count <= max) break;
    chosen.push(worker);
    room -= worker.capacity;
    count--;
  }
  return chosen;
}

function add<T>(items: readonly T[], measure: (item: T) => number): number {
  return items.reduce((sum, item) => sum + measure(item), 0);
}
