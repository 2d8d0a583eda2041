import { v7 as uuid, validate } from "uuid";
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
import type { ClaimResponse } from "./schemas.ts";

/** What happens in a pool that may leave a waiting worker something to claim. */
const CLAIMABLE: ReadonlySet<string> = new Set([
  "session_created",
  "session_requeued",
  "sessions_waiting",
  "pool_changed",
]);

/** Ends of sessions: they leave room to the worker that held them, and to others if the pool has a limit. */
const ENDS: ReadonlySet<string> = new Set(
  SESSION_STATUSES.filter(isTerminal).map((status) => STATUS_EVENTS[status]),
);

/** What a look tells of the worker. */
type Claimant = Awaited<ReturnType<SessionManager["claim"]>>["worker"];

/** How a claim is asked for. */
export interface ClaimOptions {
  readonly requestId?: string | undefined;
  readonly caller: WorkerCaller;
  /** Sessions whose orders need not be told. */
  readonly obeying?: readonly string[] | undefined;
  readonly room?: number | undefined;
  readonly count?: number | undefined;
  readonly waitSeconds: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Waits for sessions or an order; one round trip a look. Undefined: there was none in time. */
export type WaitForClaim = (
  id: string,
  options: ClaimOptions,
) => Promise<ClaimResponse | undefined>;

/** @param refuse Throws the rejection of an unknown worker, or of a caller that is not its current process. */
export function waitForClaim(
  { bus, clock, stopping }: Pick<Core, "bus" | "clock" | "stopping">,
  sessions: SessionManager,
  refuse: (id: string, caller: WorkerCaller) => Promise<never>,
): WaitForClaim {
  return async function claim(id, options) {
    const { requestId = uuid(), caller, room = Infinity, obeying = [] } =
      options;
    if (!validate(id)) return await refuse(id, caller);
    const count = Math.min(options.count ?? 1, room);
    const askedAt = clock.monotonic();
    using over = deadline(
      clock,
      options.waitSeconds * 1_000,
      options.signal,
      stopping,
    );
    let worker: Claimant;
    // Before the first look, so that nothing is missed between two.
    using news = bus.latch((event) => isRelevant(event, { id, count, worker }));
    using watches = new DisposableStack();
    for (let isWoken = false;;) {
      const waited_ms = Math.floor(clock.monotonic() - askedAt);
      const claim = { requestId, caller, count, knownCommands: obeying };
      const found = await sessions.claim(id, claim);
      if (!found.worker?.isProven) return await refuse(id, caller);
      const answer = {
        sessions: [...found.sessions],
        commands: [...found.commands],
        waited_ms,
      };
      // An order that is no session's (drain) comes with the heartbeat that an empty answer makes.
      const isAnswer = answer.sessions.length + answer.commands.length > 0;
      if (isAnswer || isWoken) return answer;
      if (!worker) {
        const { workPoolId: pool } = found.worker;
        watches.use(sessions.watch("worker", id));
        if (count > 0) watches.use(sessions.watch("pool", pool));
      }
      worker = found.worker;
      const types = await news.next(over.signal);
      // Whoever has hung up must not be given anything any more.
      if (types.size === 0 || options.signal.aborted) return undefined;
      // A pool that has changed may want other browsers to be kept ready: a heartbeat tells.
      isWoken = types.has("worker_commanded") || types.has("pool_changed");
    }
  };
}

/** Who waits. */
interface WaitingClaim {
  readonly id: string;
  readonly count: number;
  /** What the last look told of it; absent before the first. */
  readonly worker: Claimant;
}

/** Whether something may be there now for who waits. */
function isRelevant(
  { type, worker_id, work_pool_id }: BusEvent,
  { id, count, worker }: WaitingClaim,
): boolean {
  if (type === "worker_commanded") return worker_id === id;
  const isElsewhere = worker && work_pool_id !== worker.workPoolId;
  if (count === 0 || isElsewhere) return false;
  if (!ENDS.has(type)) return CLAIMABLE.has(type);
  return worker_id === id || !worker || worker.isPoolLimited;
}
