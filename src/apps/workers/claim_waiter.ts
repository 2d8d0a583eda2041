import { uuidv7 } from "uuidv7";
import type { Core } from "../../core/app.ts";
import { deadline } from "../../async/deadline.ts";
import type { BusEvent } from "../../core/bus.ts";
import type { WorkerCaller } from "../../http/auth/worker_caller.ts";
import type { SessionManager } from "../sessions/manager.ts";
import {
  isTerminal,
  SESSION_STATUSES,
  STATUS_EVENTS,
} from "../sessions/status.ts";
import { ClaimQueue, type Wake } from "./claim_queue.ts";
import type { ClaimResponse } from "./schemas/service.ts";

/** Events of ended sessions: their worker has room again, and their pool and key may hold another session. */
const ENDS: ReadonlySet<string> = new Set(
  SESSION_STATUSES.filter(isTerminal).map((status) => STATUS_EVENTS[status]),
);

/** Options of a claim. */
export interface ClaimOptions {
  readonly requestId?: string | undefined;
  readonly caller: WorkerCaller;
  /** Sessions whose commands the worker obeys already; the response leaves them out. */
  readonly obeying?: readonly string[] | undefined;
  /** Number of sessions that the worker could hold in addition; unlimited by default. */
  readonly room?: number | undefined;
  /** Maximum number of sessions to claim. @default {1} */
  readonly count?: number | undefined;
  readonly waitSeconds: number;
  /** Aborted when the client has closed the request. */
  readonly signal: AbortSignal;
}

/** Waits for sessions to claim. */
export class ClaimWaiter {
  readonly #core: Pick<Core, "bus" | "clock" | "stopping">;
  readonly #sessions: Pick<SessionManager, "claim" | "watch">;
  readonly #reject: (id: string, caller: WorkerCaller) => Promise<never>;
  readonly #queue = new ClaimQueue();

  /** @param reject Throws the problem of an unknown worker, or of a caller that is not its current process. */
  constructor(
    core: Pick<Core, "bus" | "clock" | "stopping">,
    sessions: Pick<SessionManager, "claim" | "watch">,
    reject: (id: string, caller: WorkerCaller) => Promise<never>,
  ) {
    this.#core = core;
    this.#sessions = sessions;
    this.#reject = reject;
    core.bus.subscribe((event) => this.#receive(event));
  }

  /** Wakes the worker's claim if it waits for room, because a heartbeat may have given it some. */
  recordHeartbeat(workerId: string): void {
    this.#queue.workerChanged(workerId);
  }

  /**
   * Waits until the worker gets sessions or commands. Returns undefined if there was neither in time.
   *
   * Each attempt is one round trip.
   */
  async claim(
    workerId: string,
    options: ClaimOptions,
  ): Promise<ClaimResponse | undefined> {
    const { clock, stopping } = this.#core;
    const { requestId = uuidv7(), caller, room = Infinity, obeying = [] } =
      options;
    const count = Math.min(options.count ?? 1, room);
    const startedAt = clock.monotonic();
    using timeout = deadline(
      clock,
      options.waitSeconds * 1_000,
      options.signal,
      stopping,
    );
    // Before the first attempt, so that no event is missed between two attempts.
    using queued = this.#queue.enter(workerId, count);
    using watches = new DisposableStack();
    for (let wake: Wake = "session";;) {
      const waitedMs = Math.floor(clock.monotonic() - startedAt);
      const claim = await this.#sessions.claim(workerId, {
        requestId,
        caller,
        count,
        knownCommands: obeying,
      });
      if (!claim.worker?.isProven) return await this.#reject(workerId, caller);
      const response = {
        sessions: [...claim.sessions],
        commands: [...claim.commands],
        waited_ms: waitedMs,
      };
      // A drain command is not part of a claim, and a changed pool may need other ready browsers. An empty response makes
      // the worker send a heartbeat, which returns both.
      const isDone = wake === "change" || hasContent(response);
      const isFirst = queued.poolId === undefined;
      const isRepeated = claim.assigned < claim.sessions.length;
      if (!isRepeated) queued.settle({ ...claim.worker, ...claim }, isDone);
      if (isDone) return response;
      if (isFirst) {
        const { workPoolId } = claim.worker;
        watches.use(this.#sessions.watch("worker", workerId));
        if (count > 0) watches.use(this.#sessions.watch("pool", workPoolId));
      }
      const next = await queued.next(timeout.signal);
      // A client that has closed the request must not be assigned a session.
      if (next === undefined || options.signal.aborted) return undefined;
      wake = next;
    }
  }

  #receive({ type, worker_id, work_pool_id }: BusEvent): void {
    const queue = this.#queue;
    if (ENDS.has(type)) {
      if (worker_id) queue.workerChanged(worker_id);
      if (work_pool_id) queue.sessionEnded(work_pool_id);
    } else if (type === "worker_commanded") {
      if (worker_id) queue.endWorker(worker_id);
    } else if (!work_pool_id) return;
    else if (type === "session_created" || type === "session_requeued") {
      queue.wake(work_pool_id);
    } else if (type === "sessions_waiting") queue.probe(work_pool_id);
    else if (type === "pool_changed") queue.endPool(work_pool_id);
  }
}

function hasContent({ sessions, commands }: ClaimResponse): boolean {
  return sessions.length + commands.length > 0;
}
