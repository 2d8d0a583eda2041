import { v7 as uuid } from "uuid";
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
import type { ClaimResponse } from "./schemas/service.ts";

/** Events in a pool after which a waiting worker may find something to claim. */
const CLAIMABLE: ReadonlySet<string> = new Set([
  "session_created",
  "session_requeued",
  "sessions_waiting",
  "pool_changed",
]);

/** Events of ended sessions: their worker has room again, and so do others if the pool has a limit. */
const ENDS: ReadonlySet<string> = new Set(
  SESSION_STATUSES.filter(isTerminal).map((status) => STATUS_EVENTS[status]),
);

/** The worker, as a claim reads it. */
type Claimant = Awaited<ReturnType<SessionManager["claim"]>>["worker"];

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

/** A claim that waits, for comparison with events. */
interface WaitingClaim {
  readonly workerId: string;
  readonly count: number;
  /** Absent before the first attempt. */
  readonly worker: Claimant;
}

/** Waits for sessions to claim. */
export class ClaimWaiter {
  readonly #core: Pick<Core, "bus" | "clock" | "stopping">;
  readonly #sessions: Pick<SessionManager, "claim" | "watch">;
  readonly #reject: (id: string, caller: WorkerCaller) => Promise<never>;

  /** @param reject Throws the problem of an unknown worker, or of a caller that is not its current process. */
  constructor(
    core: Pick<Core, "bus" | "clock" | "stopping">,
    sessions: Pick<SessionManager, "claim" | "watch">,
    reject: (id: string, caller: WorkerCaller) => Promise<never>,
  ) {
    this.#core = core;
    this.#sessions = sessions;
    this.#reject = reject;
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
    const { bus, clock, stopping } = this.#core;
    const { requestId = uuid(), caller, room = Infinity, obeying = [] } =
      options;
    const count = Math.min(options.count ?? 1, room);
    const startedAt = clock.monotonic();
    using timeout = deadline(
      clock,
      options.waitSeconds * 1_000,
      options.signal,
      stopping,
    );
    let worker: Claimant;
    // Before the first attempt, so that no event is missed between two attempts.
    using events = bus.latch((event) =>
      isRelevant(event, { workerId, count, worker })
    );
    using watches = new DisposableStack();
    for (let isWoken = false;;) {
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
      // A drain command is not part of a claim. An empty response makes the worker send a heartbeat, which returns it.
      if (isWoken || hasContent(response)) return response;
      if (!worker) {
        const { workPoolId } = claim.worker;
        watches.use(this.#sessions.watch("worker", workerId));
        if (count > 0) watches.use(this.#sessions.watch("pool", workPoolId));
      }
      worker = claim.worker;
      const types = await events.next(timeout.signal);
      // A client that has closed the request must not be assigned a session.
      if (types.size === 0 || options.signal.aborted) return undefined;
      // A changed pool may need other ready browsers, which the response to a heartbeat contains.
      isWoken = types.has("worker_commanded") || types.has("pool_changed");
    }
  }
}

function hasContent({ sessions, commands }: ClaimResponse): boolean {
  return sessions.length + commands.length > 0;
}

/** Reports whether a waiting claim may succeed after `event`. */
function isRelevant(
  { type, worker_id, work_pool_id }: BusEvent,
  { workerId, count, worker }: WaitingClaim,
): boolean {
  if (type === "worker_commanded") return worker_id === workerId;
  const isElsewhere = worker && work_pool_id !== worker.workPoolId;
  if (count === 0 || isElsewhere) return false;
  if (!ENDS.has(type)) return CLAIMABLE.has(type);
  return worker_id === workerId || !worker || worker.isPoolLimited;
}
