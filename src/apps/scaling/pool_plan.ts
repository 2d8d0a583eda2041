import { isPaused } from "./failure.ts";
import {
  type Plan,
  planMachines,
  type PlannedWorker,
  type Surplus,
} from "./planner.ts";
import { resolveWorkerLimits } from "../workerpool/manager.ts";
import type { SettledMachine, Turn } from "./turn.ts";
import type { MachineStore, NewMachine } from "./store/machines.ts";
import type { WorkerState } from "./store/state.ts";

/** Values of {@linkcode createPlan} that are not of the pool. */
export interface PlanContext {
  /** Time that a surplus of workers must last. */
  readonly scaleDownMs: number;
  /** Reports whether a call about a machine runs. */
  readonly isInFlight: (workerId: string) => boolean;
}

/** Plans the machines of a pool from its stored state. */
export function createPlan(
  turn: Turn,
  settled: readonly SettledMachine[],
  { scaleDownMs, isInFlight }: PlanContext,
): Plan {
  const { state, leased, now, target: { machines } } = turn;
  const pool = resolvePool(turn);
  const capacity = limitCapacity(machines.capacity, turn);
  const count = (isCounted: (machine: SettledMachine) => boolean) =>
    settled.filter(isCounted).length;
  const requested = count(({ row }) =>
    row.status === "requested" && !isInFlight(row.workerId)
  );
  const starting =
    count(({ row }) =>
      row.status === "requested" || row.status === "starting"
    ) - requested;
  return planMachines({
    pool,
    pending: state.pending,
    held: state.held,
    capacity,
    workers: listWorkers(turn, settled),
    requested,
    starting,
    silent: count(({ row, worker }) =>
      (row.status === "running" || row.status === "draining") &&
      (!worker || worker.status === "offline")
    ),
    canStart: !isPaused(leased, now),
    surplus: readSurplus(turn),
    now,
    scaleDownMs: turn.target.isWanted ? scaleDownMs : 0,
  });
}

/** Functions and values with which a plan is carried out. */
export interface PlanActions {
  readonly plan: Plan;
  readonly settled: readonly SettledMachine[];
  readonly store: MachineStore;
  readonly isInFlight: PlanContext["isInFlight"];
  readonly createMachines: (count: number) => Promise<readonly NewMachine[]>;
  readonly drain: (id: string) => Promise<void>;
  readonly resume: (id: string) => Promise<void>;
}

/** Stores the decisions of a plan and sends them to workers. Returns true if the machines have changed. */
export async function applyPlan(
  turn: Turn,
  { plan, settled, store, isInFlight, ...actions }: PlanActions,
): Promise<boolean> {
  const { lease, now } = turn;
  if (!isSameSurplus(readSurplus(turn), plan.surplus)) {
    await store.saveSurplus(lease, plan.surplus);
  }
  if (plan.resume.length > 0) {
    const resumed = await store.resume(lease, plan.resume, now);
    for (const id of resumed) await actions.resume(id);
  }
  if (plan.drain.length > 0) {
    const drained = await store.drain(lease, plan.drain, now);
    for (const id of drained) await actions.drain(id);
  }
  if (plan.withdraw > 0) {
    const requested = settled.filter(({ row }) =>
      row.status === "requested" && !isInFlight(row.workerId)
    );
    await withdraw(turn, { count: plan.withdraw, requested, store });
  }
  if (plan.start === 0) return plan.withdraw > 0;
  const { max } = resolveWorkerLimits(resolvePool(turn));
  const added = await actions.createMachines(plan.start);
  const ids = await store.request(lease, added, { max, now });
  return ids.length > 0;
}

/** Decides that the youngest machines which were not accepted yet are not needed. */
async function withdraw(
  { lease, now }: Turn,
  { count, requested, store }: {
    readonly count: number;
    readonly requested: readonly SettledMachine[];
    readonly store: MachineStore;
  },
): Promise<void> {
  const youngest = requested
    .toSorted((a, b) => b.row.requestedAt - a.row.requestedAt);
  for (const { row: { workerId } } of youngest.slice(0, count)) {
    await store.remove(lease, {
      workerId,
      reason: "it is not needed any more",
      now,
      isUnregistered: true,
    });
  }
}

/** Returns the pool as the planner reads it: one whose machines are not wanted any more is inactive, and drains all. */
function resolvePool({ state: { pool }, target }: Turn) {
  if (pool && target.isWanted) return pool;
  return {
    status: "inactive" as const,
    minReady: 0,
    maxSessions: null,
    minWorkers: 0,
    maxWorkers: 0,
  };
}

function limitCapacity(capacity: number, { state: { pool } }: Turn): number {
  return Math.max(
    1,
    Math.min(capacity, pool?.maxSessionsPerWorker ?? Infinity),
  );
}

function listWorkers(
  turn: Turn,
  settled: readonly SettledMachine[],
): readonly PlannedWorker[] {
  const rows = new Map(settled.map(({ row }) => [row.workerId, row]));
  return turn.state.workers.filter(({ status }) => status !== "offline")
    .map((worker) => {
      const row = rows.get(worker.id);
      return {
        id: worker.id,
        held: worker.held,
        capacity: limitCapacity(worker.capacity, turn),
        state: findState(worker, row),
        hasMachine: row?.status === "running",
        createdAt: worker.createdAt,
      };
    });
}

function findState(
  { status, drainRequestedAt, held }: WorkerState,
  row: SettledMachine["row"] | undefined,
): PlannedWorker["state"] {
  // It takes no sessions. One on a machine without sessions is replaced after a time, and a second one could fail too.
  const isReplaced = row?.status === "running" && held === 0;
  if (status === "failed" && !isReplaced) return "leaving";
  if (row?.status === "removing") return "leaving";
  if (row?.status === "draining" && row.drainedAt !== null) return "drained";
  const drains = status === "draining" || drainRequestedAt !== null;
  return drains ? "leaving" : "serving";
}

function readSurplus({ leased }: Turn): Surplus | undefined {
  const { surplusSince: since, surplusLeast: least } = leased;
  return since === null ? undefined : { since, least };
}

function isSameSurplus(a: Surplus | undefined, b: Surplus | undefined) {
  return a?.since === b?.since && a?.least === b?.least;
}
