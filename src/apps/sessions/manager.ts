import type { ResultSet } from "@libsql/client";
import { isUuid } from "../../core/text.ts";
import { deadline } from "../../async/deadline.ts";
import type { Core } from "../../core/app.ts";
import type { Statement } from "../../core/database.ts";
import { noteTrace } from "../../core/log.ts";
import { isTransient } from "../../core/errors.ts";
import type { WorkerCaller } from "../../http/auth/worker_caller.ts";
import { SeriesRollUp } from "../../db/series/roll_up.ts";
import { toWebSocketUrl } from "../../http/base_url.ts";
import type { WorkPoolManager } from "../workerpool/manager.ts";
import { SessionActivity } from "./activity.ts";
import { ChangePoller } from "./change_poller.ts";
import { ChangePublisher } from "./change_publisher.ts";
import {
  type CreateOnceOptions,
  type CreateOptions,
  type CreateResult,
  SessionCreator,
} from "./create.ts";
import { Deadlines } from "./deadlines.ts";
import { LifecycleMetrics } from "./lifecycle_metrics.ts";
import { OwnerView, requireFound, sessionNotFound } from "./owner_view.ts";
import type { SessionInput } from "./schemas.ts";
import type { SessionMetricValues } from "./schemas/history.ts";
import type { SessionReport } from "./schemas/leases.ts";
import type { Session } from "./session.ts";
import { ActivityStore } from "./store/lifecycle/activity.ts";
import { ChangeStore, type WatchTarget } from "./store/changes.ts";
import { type Claim, claimSessions } from "./store/queue/claim.ts";
import { DeadlineStore } from "./store/lifecycle/deadlines.ts";
import { SessionPruner } from "./store/lifecycle/prune.ts";
import {
  HistoryStore,
  type Holder,
  type HolderEvent,
} from "./store/history.ts";
import {
  applyReports,
  type ReportOutcome,
  type SurroundingStatements,
} from "./store/lifecycle/reports.ts";
import { sessionSeries } from "./store/metrics.ts";
import { setReach } from "./store/lifecycle/reach.ts";
import { STATUS_EVENTS } from "./status.ts";
import { SessionStore } from "./store/sessions.ts";
import { StopStore } from "./store/lifecycle/stops.ts";
import {
  takeOver,
  type TakeOverScope,
  type TakeOverStatements,
} from "./store/lifecycle/take_over.ts";

export type { Session, SessionEvent, SessionMetric } from "./session.ts";
export { renderSession, renderStatusReason } from "./render.ts";
export type { OwnerView } from "./owner_view.ts";
export type { SessionTarget } from "./store/sessions.ts";
export type { Stop } from "./store/lifecycle/stops.ts";
export type {
  LeasedSession,
  TakeOverStatements,
} from "./store/lifecycle/take_over.ts";

/** Pause of a waiting request after the database was busy or unavailable. */
const RETRY_MS = 1_000;

/** Options of {@linkcode SessionManager.waitUntilStarted}. */
export interface StartWait<S> {
  /** Reads the session. */
  readonly read: () => Promise<S>;
  /** The session as read before. From then on reads are repeated while the database is busy or unavailable. */
  readonly known?: S;
  /** Returns the maximum wait for a change of the session. @default no limit */
  readonly waitMs?: (session: S) => number;
  readonly signal: AbortSignal;
}

/** The rules of sessions. As a view it shows the sessions of all owners. */
export class SessionManager extends OwnerView {
  /** Records of the gateway about the use of sessions. */
  readonly activity: SessionActivity;
  /** Deadlines of sessions, for the reconciler. */
  readonly deadlines: Deadlines;
  readonly #core: Core;
  readonly #viewOptions: ConstructorParameters<typeof OwnerView>[1];
  readonly #publisher: ChangePublisher;
  readonly #metrics: LifecycleMetrics;
  readonly #history: HistoryStore;
  readonly #creator: SessionCreator;
  readonly #poller: ChangePoller;

  constructor(core: Core, pools: Pick<WorkPoolManager, "assign">) {
    const metrics = new LifecycleMetrics(core.metrics);
    const publisher = new ChangePublisher(core, metrics);
    const stores = {
      sessions: new SessionStore(core.db),
      history: new HistoryStore(core.db),
      stops: new StopStore(core.db),
    };
    super(core, { stores, publisher });
    this.#core = core;
    this.#viewOptions = { stores, publisher };
    this.#publisher = publisher;
    this.#metrics = metrics;
    this.#history = stores.history;
    this.#creator = new SessionCreator(core, pools);
    this.#poller = new ChangePoller({
      clock: core.clock,
      bus: core.bus,
      store: new ChangeStore(core.db),
      stopping: core.stopping,
    });
    this.activity = new SessionActivity(
      core,
      new ActivityStore(core.db),
      publisher,
    );
    this.deadlines = new Deadlines(core, {
      store: new DeadlineStore(core.db),
      pruner: new SessionPruner(core.db),
      publisher,
      rollUp: new SeriesRollUp(core, sessionSeries),
    });
  }

  /** Returns the view of one owner's sessions; undefined returns the view of all. No round trip. */
  forOwner(owner: string | undefined): OwnerView {
    return owner === undefined
      ? this
      : new OwnerView(this.#core, { ...this.#viewOptions, owner });
  }

  /** Creates a session, as {@linkcode SessionCreator.create}. Two round trips. */
  create(input: SessionInput, options?: CreateOptions): Promise<Session> {
    return this.#creator.create(input, options);
  }

  /** Creates one session for all calls with the same key, as {@linkcode SessionCreator.createOnce}. Two round trips. */
  createOnce(
    input: SessionInput,
    options: CreateOnceOptions,
  ): Promise<CreateResult> {
    return this.#creator.createOnce(input, options);
  }

  /** Records an event of the worker that holds the session. Returns false if the token is stale or the session has ended. */
  async addEvent(id: string, event: HolderEvent): Promise<boolean> {
    if (!isUuid(id)) throw sessionNotFound(id);
    const now = this.#core.clock.now();
    return requireFound(id, await this.#history.addEvent(id, event, now));
  }

  /** Records a measurement, as `addEvent`. */
  async addMetric(
    id: string,
    metric: Holder & SessionMetricValues,
  ): Promise<boolean> {
    if (!isUuid(id)) throw sessionNotFound(id);
    const now = this.#core.clock.now();
    return requireFound(id, await this.#history.addMetric(id, metric, now));
  }

  /**
   * Reads a session until it is neither pending nor starting, and returns it as last read. Two reads if it is pending at
   * first and starts. When `signal` is aborted, it returns the session in its current state.
   */
  async waitUntilStarted<S extends Pick<Session, "status">>(
    id: string,
    { read, known, waitMs, signal }: StartWait<S>,
  ): Promise<S> {
    const { bus, clock } = this.#core;
    // Only the end of a start ends the wait.
    using changes = bus.latch(({ type, subject }) =>
      subject === id && type !== STATUS_EVENTS.starting
    );
    using _watch = this.watch("start", id);
    for (let last = known;;) {
      const session = await read().catch((error: unknown) => {
        if (!last || !isTransient(error) || signal.aborted) throw error;
        return undefined;
      });
      if (session) {
        last = session;
        const isWaiting = session.status === "pending" ||
          session.status === "starting";
        if (!isWaiting || signal.aborted) return session;
      }
      const ms = session ? waitMs?.(session) : RETRY_MS;
      if (ms === undefined) await changes.next(signal);
      else if (ms <= 0 && session) return session;
      else {
        using timeout = deadline(clock, ms, signal);
        await changes.next(timeout.signal);
      }
    }
  }

  /** Publishes changes that other servers make to the subject on the bus, until disposed. Subscribe before. */
  watch(target: WatchTarget, id: string): Disposable {
    return this.#poller.watch(target, id);
  }

  /** Returns the URL that clients connect to. @param baseUrl URL of the server, as the client reaches it. */
  buildConnectUrl(id: string, baseUrl: string): string {
    return `${toWebSocketUrl(baseUrl)}/v1/sessions/${id}/cdp`;
  }

  /** Assigns pending sessions to a worker, as {@linkcode claimSessions}. One round trip. */
  async claim(
    workerId: string,
    options: {
      readonly requestId: string;
      readonly caller: WorkerCaller;
      readonly count: number;
      readonly knownCommands: readonly string[];
    },
  ): Promise<Claim> {
    const { bus, clock, tracer } = this.#core;
    const limits = this.#readLimits();
    const claim = await claimSessions(this.#core, {
      workerId,
      ...options,
      ...limits,
    });
    this.#metrics.countWaits(claim.waits);
    for (const { id, work_pool_id } of claim.sessions) {
      bus.publish({
        type: "session_starting",
        subject: id,
        work_pool_id,
        worker_id: workerId,
      });
    }
    for (const each of claim.sessions) noteTrace(each.id, each.traceparent);
    if (!tracer) return claim;
    const period = { startAt: limits.now, endAt: clock.now() };
    const { recordClaims } = await import("./trace/session_spans.ts");
    const sessions = recordClaims(tracer, claim, period);
    return { ...claim, sessions };
  }

  /** Returns the statements by which a worker's new process takes over its sessions, for the batch of its registration. */
  takeOver(scope: TakeOverScope): TakeOverStatements {
    return takeOver(this.#core.db.orm, scope, this.#readLimits());
  }

  /** Returns the statement that stores the path to the sessions of a worker, for the batch that stores it for the worker. */
  setReach(
    workerId: string,
    reach: "direct" | "tunnel",
  ): Statement<ResultSet> {
    return setReach(this.#core.db.orm, workerId, reach);
  }

  /** Applies a worker's reports in one batch with the statements `around`. One round trip. */
  async applyReports<F, L>(
    workerId: string,
    { items, ...options }: {
      readonly items: readonly SessionReport[];
      readonly caller: WorkerCaller;
      /** True if the worker leaves. */
      readonly isLast: boolean;
    },
    around: SurroundingStatements<F, L>,
  ): Promise<ReportOutcome<F, L>> {
    const { db, settings } = this.#core;
    const limits = this.#readLimits();
    const outcome = await applyReports(db, {
      workerId,
      reports: items,
      ...options,
      ...limits,
      maxAttempts: settings.max_start_attempts,
    }, around);
    this.#publisher.publish(outcome.changed, "worker_report", limits.now);
    return outcome;
  }

  #readLimits() {
    const { clock, settings } = this.#core;
    return {
      now: clock.now(),
      leaseMs: settings.lease_seconds * 1_000,
      startTimeoutMs: settings.start_timeout_seconds * 1_000,
    };
  }
}
