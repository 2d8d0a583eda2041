import { eq } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import type { ListPage } from "../../../http/page.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { workers } from "../../workers/models.ts";
import { sessions } from "../models.ts";
import type { Session, SessionEvent, SessionMetric } from "../session.ts";
import type { Control, SessionStatus } from "../status.ts";
import { listSessions, type SessionPage } from "./list_sessions.ts";
import { selectEvents } from "./history.ts";
import { selectLastMetrics } from "./metrics.ts";
import { isSession, selectSession, type SessionRef } from "./select_session.ts";

/** Facts by which the gateway reaches a browser. `endpoint` never leaves the grid. */
export interface SessionTarget {
  readonly id: string;
  readonly status: SessionStatus;
  readonly statusReason: string | null;
  readonly endpoint: string | null;
  readonly workerId: string | null;
  readonly ephemeral: boolean;
  readonly maxConnections: number;
  /** For an ephemeral session, how long it waits for its client to reconnect. */
  readonly keepAliveSeconds: number | null;
  /** Side that controls the browser. */
  readonly control: Control;
  /** Path to the browser; null if not known yet. */
  readonly reach: "direct" | "tunnel" | null;
  readonly expiresAt: number;
  /** URL of the server that has the worker's tunnel; null if there is none. */
  readonly tunnelUrl: string | null;
  /** Latest time for a pending session to be claimed. */
  readonly queueDeadlineAt: number;
  /** Latest time for a starting session to run; reported progress extends it. */
  readonly startDeadlineAt: number | null;
  /** Trace of the session, as a header. */
  readonly traceparent: string | null;
}

/** A session with its last events and measurements; without the session if it does not exist. */
export interface DetailRows {
  readonly session?: Session | undefined;
  readonly events: readonly SessionEvent[];
  readonly metrics: readonly SessionMetric[];
}

const MAX_DETAIL_EVENTS = 500;

const MAX_DETAIL_METRICS = 100;

/** Reads of sessions. Each method is one round trip; all but `target` and `logs` leave out secret columns. */
export class SessionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async find(ref: SessionRef): Promise<Session | undefined> {
    const [session] = await findSession(this.#db, ref).session;
    return session;
  }

  async detail(ref: SessionRef): Promise<DetailRows> {
    const { session, events, metrics } = await batchNamed(this.#db.orm, {
      ...findDetail(this.#db, ref),
      metrics: selectLastMetrics(this.#db, ref.id, MAX_DETAIL_METRICS),
    });
    return { session: session[0], events, metrics: metrics.toReversed() };
  }

  async target(ref: SessionRef): Promise<SessionTarget | undefined> {
    const [target] = await findTarget(this.#db, ref).target;
    return target;
  }

  async logs(
    ref: SessionRef,
  ): Promise<{ readonly logs: string | null } | undefined> {
    const [row] = await findLogs(this.#db, ref).logs;
    return row;
  }

  list(page: SessionPage, owner?: string): Promise<ListPage<Session>> {
    return listSessions(this.#db, page, owner);
  }
}

const findSession = prepare(({ orm }, bind: Bind<SessionRef>) => ({
  session: selectSession(orm, bind),
}));

const findDetail = prepare(({ orm }, bind: Bind<SessionRef>) => ({
  session: selectSession(orm, bind),
  events: selectEvents(orm, {
    id: bind("id"),
    after: 0,
    limit: MAX_DETAIL_EVENTS,
  }),
}));

const findTarget = prepare(({ orm }, bind: Bind<SessionRef>) => ({
  target: orm.select({
    id: sessions.id,
    status: sessions.status,
    statusReason: sessions.statusReason,
    endpoint: sessions.endpoint,
    workerId: sessions.workerId,
    ephemeral: sessions.ephemeral,
    maxConnections: sessions.maxConnections,
    keepAliveSeconds: sessions.keepAliveSeconds,
    control: sessions.control,
    reach: sessions.reach,
    tunnelUrl: workers.tunnelUrl,
    expiresAt: sessions.expiresAt,
    queueDeadlineAt: sessions.queueDeadlineAt,
    startDeadlineAt: sessions.startDeadlineAt,
    traceparent: sessions.traceparent,
  }).from(sessions).leftJoin(workers, eq(workers.id, sessions.workerId))
    .where(isSession(bind)),
}));

const findLogs = prepare(({ orm }, bind: Bind<SessionRef>) => ({
  logs: orm.select({ logs: sessions.logs }).from(sessions)
    .where(isSession(bind)),
}));
