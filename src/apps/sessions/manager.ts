import type { ResultSet } from "@libsql/client";
import { validate } from "uuid";
import type { Core } from "../../core/app.ts";
import { deadline } from "../../async/deadline.ts";
import type { Statement } from "../../core/database.ts";
import { isTransient } from "../../core/errors.ts";
import { toWebSocketUrl } from "../../http/public_origin.ts";
import type { WorkerCaller } from "../../http/auth/worker_caller.ts";
import type { WorkPoolManager } from "../workerpool/manager.ts";
import {
  type Claim,
  claimSessions,
  takeOver,
  type TakeOverScope,
  type TakeOverStatements,
} from "./store/claim.ts";
import { createSessionCreator, type SessionCreator } from "./create.ts";
import { createDeadlines, type Deadlines } from "./deadlines.ts";
import { ChangePoller, type WatchTarget } from "./change_poller.ts";
import type { SessionMetricValues } from "./schemas/history.ts";
import type { SessionReport } from "./schemas/leases.ts";
import type { Session } from "./session.ts";
import { createSessionActivity, type SessionActivity } from "./activity.ts";
import {
  createOwnerView,
  found,
  type OwnerView,
  sessionNotFound,
} from "./owner_view.ts";
import { isTerminal, type SessionEventName, STATUS_EVENTS } from "./status.ts";
import type { Holder, SessionStore } from "./store/sessions.ts";
import type { DeadlineStore } from "./store/deadlines.ts";
import type { ChangeStore } from "./store/changes.ts";
import type { ActivityStore } from "./store/activity.ts";
import {
  applyReports,
  type ReportOutcome,
  setReach as reachedStatement,
  type SurroundingStatements,
} from "./store/reports.ts";
import type { StatusChange } from "./store/transition.ts";

export type { Session, SessionEvent, SessionMetric } from "./session.ts";
export { renderSession, renderStatusReason } from "./session.ts";
export type { SessionTarget, Stop } from "./store/sessions.ts";
export type { LeasedSession, TakeOverStatements } from "./store/claim.ts";

/** Pause of a waiting request before it asks a database again that was busy or away. */
const RETRY_MS = 1_000;

/** The rules of sessions. */
export interface SessionManager
  extends SessionCreator, SessionActivity, OwnerView {
  /** What a caller that sees only `owner`'s sessions may do. Undefined: everybody's. No round trip more. */
  forOwner(owner: string | undefined): OwnerView;
  /** Records for the worker that holds it. False: the token is stale, or it has ended. */
  addEvent(
    id: string,
    record: Holder & {
      readonly event: SessionEventName;
      readonly data: Readonly<Record<string, unknown>>;
    },
  ): Promise<boolean>;
  addMetric(
    id: string,
    record: Holder & SessionMetricValues,
  ): Promise<boolean>;
  /**
   * Resolves when it is neither pending nor starting, or with what it is when `signal` is aborted. A database that is
   * busy or away meanwhile is waited for.
   */
  waitUntilStarted(id: string, signal: AbortSignal): Promise<Session>;
  /** Has the bus told of what other replicas do with it, until disposed. Subscribe before. */
  watch(what: WatchTarget, id: string): Disposable;
  /** Returns the URL that clients connect to. @param baseUrl URL of the server as the client reaches it. */
  buildConnectUrl(id: string, baseUrl: string): string;
  /** One round trip. */
  claim(
    workerId: string,
    options: {
      readonly requestId: string;
      readonly caller: WorkerCaller;
      readonly count: number;
      readonly knownCommands: readonly string[];
    },
  ): Promise<Claim>;
  /** The statements by which a worker's new process takes over what the worker holds; run in the batch that enters it. */
  takeOver(workers: TakeOverScope): TakeOverStatements;
  /** The statement by which the sessions that run on a worker learn how they are reached; run in the batch that enters it. */
  setReach(workerId: string, reach: "direct" | "tunnel"): Statement<ResultSet>;
  /** Applies a worker's reports in one batch with the statements `around`. One round trip. */
  applyReports<F, L>(
    workerId: string,
    reports: {
      readonly items: readonly SessionReport[];
      readonly caller: WorkerCaller;
      /** The worker leaves. */
      readonly isLast: boolean;
    },
    around: SurroundingStatements<F, L>,
  ): Promise<ReportOutcome<F, L>>;
  /** What time does to sessions, for the reconciler. Each returns how many it changed. */
  readonly deadlines: Deadlines;
}

/** The manager over its stores. */
export function createSessionManager(
  core: Core,
  pools: Pick<WorkPoolManager, "assign">,
  store: SessionStore,
  { deadlines, changes, activity }: {
    readonly deadlines: DeadlineStore;
    readonly changes: ChangeStore;
    readonly activity: ActivityStore;
  },
): SessionManager {
  const { clock, bus, settings, db, secrets } = core;
  const leaseMs = settings.lease_seconds * 1_000;
  const startTimeoutMs = settings.start_timeout_seconds * 1_000;
  const maxAttempts = settings.max_start_attempts;
  const poller = new ChangePoller({
    clock,
    bus,
    store: changes,
    stopping: core.stopping,
  });

  function publish(changed: readonly StatusChange[]): void {
    for (const { id, status, workPoolId, workerId, isReachOpen } of changed) {
      bus.publish({
        type: STATUS_EVENTS[status],
        subject: id,
        work_pool_id: workPoolId,
        ...(workerId ? { worker_id: workerId } : {}),
        ...(isReachOpen === 1 ? { is_reach_open: true } : {}),
      });
    }
  }

  /** Tells the gateway, and wakes the worker's long poll, so that an order is obeyed at once. */
  function order(
    { id, workerId }: Pick<StatusChange, "id" | "workerId">,
  ): void {
    bus.publish({ type: "session_stopping", subject: id });
    wake(workerId);
  }

  function wake(workerId: string | null): void {
    if (workerId === null) return;
    bus.publish({
      type: "worker_commanded",
      subject: workerId,
      worker_id: workerId,
    });
  }

  /** Tells whoever waits of what time has done. */
  function announce(changed: readonly StatusChange[]): void {
    publish(
      changed.filter(({ status }) =>
        isTerminal(status) || status === "pending"
      ),
    );
    for (const each of changed) order(each);
  }

  const listeners = { publish, order, wake };
  const everyone = createOwnerView(core, store, listeners);
  const createFor = (owner: string) =>
    createOwnerView(core, store.forOwner(owner), listeners);

  return {
    ...createSessionCreator(core, pools),
    ...createSessionActivity(core, activity),
    ...everyone,
    forOwner: (owner) => owner === undefined ? everyone : createFor(owner),
    async addEvent(id, record) {
      if (!validate(id)) throw sessionNotFound(id);
      return found(id, await store.addEvent(id, record, clock.now()));
    },
    async addMetric(id, record) {
      if (!validate(id)) throw sessionNotFound(id);
      return found(id, await store.addMetric(id, record, clock.now()));
    },
    async waitUntilStarted(id, signal) {
      using news = bus.latch(({ subject }) => subject === id);
      using _watch = poller.watch("start", id);
      for (;;) {
        const session = await everyone.get(id).catch((error: unknown) => {
          if (!isTransient(error) || signal.aborted) throw error;
          return undefined;
        });
        const isOver = session && session.status !== "pending" &&
          session.status !== "starting";
        if (session && (isOver || signal.aborted)) return session;
        if (session) await news.next(signal);
        else {
          using retry = deadline(clock, RETRY_MS, signal);
          await news.next(retry.signal);
        }
      }
    },
    watch: (what, id) => poller.watch(what, id),
    buildConnectUrl: (id, baseUrl) =>
      `${toWebSocketUrl(baseUrl)}/v1/sessions/${id}/cdp`,
    async claim(workerId, options) {
      const now = clock.now();
      const limits = { now, leaseMs, startTimeoutMs };
      const claim = await claimSessions({ db, secrets }, {
        workerId,
        ...options,
        ...limits,
      });
      for (const { id, work_pool_id } of claim.sessions) {
        bus.publish({
          type: "session_starting",
          subject: id,
          work_pool_id,
          worker_id: workerId,
        });
      }
      return claim;
    },
    takeOver: (workers) =>
      takeOver(db.orm, workers, { now: clock.now(), leaseMs }),
    setReach: (workerId, reach) => reachedStatement(db.orm, workerId, reach),
    async applyReports(workerId, { items, ...how }, around) {
      const now = clock.now();
      const limits = { now, leaseMs, startTimeoutMs, maxAttempts };
      const input = { workerId, reports: items, ...how, ...limits };
      const outcome = await applyReports(db, input, around);
      publish(outcome.changed);
      return outcome;
    },
    deadlines: createDeadlines(core, deadlines, announce),
  };
}
