import type { Machine } from "../../core/provider/machines.ts";
import type { MachineRow, WorkerState } from "./store/state.ts";

/** Time for which a list of machines may lack a new one. */
const LIST_GRACE_MS = 60_000;

/** Time after which a worker that is lost does not return. */
const LOST_MS = 60_000;

/** Time that a drained worker without sessions has to leave. */
const LEAVE_MS = 60_000;

/** Time that a worker may be unable to use its provider. */
const FAILED_MS = 120_000;

/** Number of failed starts after which another machine is requested instead. */
const MAX_ATTEMPTS = 5;

/** A list of the machines of a pool. */
export interface MachineList {
  /** Time at which it was requested. */
  readonly at: number;
  readonly byId: ReadonlyMap<string, Machine>;
}

/** The facts about one machine. */
export interface KnownMachine {
  readonly row: MachineRow;
  /** Undefined if no worker has its id. */
  readonly worker: WorkerState | undefined;
  /** Undefined if the machines were not listed yet. */
  readonly list: MachineList | undefined;
  /** Time since which its worker has failed, or is drained and holds nothing; undefined if it has or is not. */
  readonly stuckSince: number | undefined;
  readonly startTimeoutSeconds: number;
  readonly now: number;
  /** Time since which this server has observed the pool: nothing is late for what happened before. */
  readonly observedSince: number;
}

/** The consequence of the facts about a machine. */
export type Verdict =
  | { readonly type: "kept" }
  /** The worker has registered. */
  | { readonly type: "registered" }
  /** The worker drains, or does not any more. */
  | { readonly type: "drains"; readonly status: "running" | "draining" }
  /** The worker has not received its drain. */
  | { readonly type: "undrained" }
  /** The machine is of no use, and the next one may fail too. */
  | UselessMachine<"failed">
  /** The machine is of no use any more. */
  | UselessMachine<"useless">
  /** Nothing of the machine is left. */
  | { readonly type: "gone" };

/** The verdict that a machine must be removed. */
interface UselessMachine<T> {
  readonly type: T;
  readonly reason: string;
  /** True if the machine has ended, and with it all sessions on it. Otherwise it is kept while its worker holds some. */
  readonly isOver?: boolean;
}

const KEPT: Verdict = { type: "kept" };

/** Reports whether a worker waits for its end, or cannot work. */
export function isStuck(
  { status, held }: Pick<WorkerState, "status" | "held">,
): boolean {
  return status === "failed" || status === "draining" && held === 0;
}

/** Compares the record of a machine with its worker and with the infrastructure's list. Pure. */
export function assessMachine(known: KnownMachine): Verdict {
  switch (known.row.status) {
    case "requested":
    case "starting":
      return assessStart(known);
    case "running":
    case "draining":
      return assessWorker(known);
    case "removing":
      return assessRemoval(known);
    default:
      return known.row.status satisfies never;
  }
}

function assessStart(known: KnownMachine): Verdict {
  const { row, worker, list, now, startTimeoutSeconds } = known;
  if (worker && worker.status !== "offline") return { type: "registered" };
  const listed = list?.byId.get(row.workerId);
  if (listed?.status === "ended") {
    return fail("The machine ended before its worker registered", listed);
  }
  if (worker) {
    const isLost = now - toObserved(worker.updatedAt, known) > LOST_MS;
    return isLost && worker.held === 0
      ? fail("The worker left at once", listed)
      : KEPT;
  }
  if (row.attempts >= MAX_ATTEMPTS) {
    return { type: "useless", reason: "it could not be started" };
  }
  if (row.acceptedAt === null) return KEPT;
  const acceptedAt = toObserved(row.acceptedAt, known);
  if (now - acceptedAt > startTimeoutSeconds * 1_000) {
    return fail(
      `The worker did not register within ${startTimeoutSeconds} s`,
      listed,
    );
  }
  const isMissing = list && !listed &&
    list.at > acceptedAt + LIST_GRACE_MS;
  return isMissing
    ? fail("The machine was gone before its worker registered", undefined)
    : KEPT;
}

function assessWorker(known: KnownMachine): Verdict {
  const { row, worker, list, now, stuckSince } = known;
  const isDraining = row.status === "draining";
  const listed = list?.byId.get(row.workerId);
  if (listed?.status === "ended") {
    const detail = listed.detail ? `: ${listed.detail}` : "";
    const reason = isDraining ? "its worker left" : `it ended${detail}`;
    return { type: "useless", reason, isOver: true };
  }
  if (!worker) {
    return now - toObserved(row.statusAt, known) > LOST_MS
      ? useless("the record of its worker was deleted")
      : KEPT;
  }
  if (worker.status === "offline") {
    if (worker.held > 0) return KEPT;
    if (isDraining) return useless("its worker left");
    return now - toObserved(worker.updatedAt, known) > LOST_MS
      ? useless("its worker was lost")
      : KEPT;
  }
  const stuckMs = stuckSince === undefined ? 0 : now - stuckSince;
  if (worker.status === "failed" && stuckMs > FAILED_MS && worker.held === 0) {
    return fail("The worker cannot use its provider", undefined);
  }
  if (isDraining && worker.held === 0 && stuckMs > LEAVE_MS) {
    return useless("its worker holds no session and has not left");
  }
  return assessDrain(row, worker);
}

function assessDrain(row: MachineRow, worker: WorkerState): Verdict {
  const drains = worker.status === "draining" ||
    worker.drainRequestedAt !== null;
  if (row.status === "running") {
    return drains ? { type: "drains", status: "draining" } : KEPT;
  }
  if (drains) return KEPT;
  return row.drainedAt === null
    ? { type: "drains", status: "running" }
    : { type: "undrained" };
}

function assessRemoval(known: KnownMachine): Verdict {
  const { row, worker, list, now } = known;
  // A removal in the future is from before the clock was set back.
  const removedAt = row.removedAt !== null && row.removedAt > now
    ? known.observedSince
    : row.removedAt;
  const isGone = removedAt !== null && list !== undefined &&
    list.at > removedAt && !list.byId.has(row.workerId);
  if (isGone && (worker?.held ?? 0) === 0) return { type: "gone" };
  // A worker that returns while its removal fails takes no sessions and leaves.
  return worker && worker.drainRequestedAt === null
    ? { type: "undrained" }
    : KEPT;
}

/**
 * Returns the time from which this server measures what follows a moment: not before its first observation, and not in
 * the future, where a clock that was set back leaves moments.
 */
function toObserved(
  at: number,
  { now, observedSince }: Pick<KnownMachine, "now" | "observedSince">,
): number {
  return at > now ? observedSince : Math.max(at, observedSince);
}

function fail(what: string, listed: Machine | undefined): Verdict {
  const detail = listed?.detail ? `: ${listed.detail}` : "";
  return {
    type: "failed",
    reason: `${what}${detail}`,
    isOver: listed?.status === "ended",
  };
}

function useless(reason: string): Verdict {
  return { type: "useless", reason };
}
