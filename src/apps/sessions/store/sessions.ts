import { and, desc, eq, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { workers } from "../../workers/models.ts";
import { sessions } from "../models.ts";
import type { Session, SessionEvent, SessionMetric } from "../session.ts";
import type { SessionStatus } from "../status.ts";
import { publicColumns } from "./columns.ts";
import { selectEvents, selectMetrics } from "./history.ts";
import { queueStateColumn } from "./queue/queue_state.ts";
import {
  isSession,
  selectSession,
  sessionColumns,
  type SessionRef,
} from "./select_session.ts";

/** Selects sessions to list, newest first. */
export interface SessionPage {
  readonly status?: readonly SessionStatus[] | undefined;
  readonly work_pool_id?: string | undefined;
  readonly worker_id?: string | undefined;
  /** Name and value of a label. */
  readonly label?: readonly [string, string] | undefined;
  readonly limit: number;
  /** Id of the last session of the previous page. */
  readonly cursor?: string | undefined;
}

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
  /** Path to the browser; null if not known yet. */
  readonly reach: "direct" | "tunnel" | null;
  readonly expiresAt: number;
  /** URL of the server that has the worker's tunnel; null if there is none. */
  readonly tunnelUrl: string | null;
  /** Latest time for a pending session to be claimed. */
  readonly queueDeadlineAt: number;
  /** Latest time for a starting session to run; reported progress extends it. */
  readonly startDeadlineAt: number | null;
}

/** A session with its last events and measurements; without the session if it does not exist. */
export interface DetailRows {
  readonly session?: Session | undefined;
  readonly events: readonly SessionEvent[];
  readonly metrics: readonly SessionMetric[];
}

const MAX_DETAIL_EVENTS = 500;

const MAX_DETAIL_METRICS = 100;

/** Columns of each session in a list. */
const listedColumns = {
  ...publicColumns,
  waiting: queueStateColumn({ isInList: true }),
};

/** Reads of sessions. Each method is one round trip; all but `target` and `logs` leave out secret columns. */
export class SessionStore {
  readonly #orm: Database["orm"];
  readonly #queries: ReturnType<typeof prepareQueries>;

  constructor(db: Database) {
    this.#orm = db.orm;
    this.#queries = prepareQueries(db);
  }

  async find({ id, owner }: SessionRef): Promise<Session | undefined> {
    const { find, findOfOwner } = this.#queries;
    const [session] = owner === undefined
      ? await find.all({ id })
      : await findOfOwner.all({ id, owner });
    return session;
  }

  async detail(ref: SessionRef): Promise<DetailRows> {
    const { found, events, metrics } = await batchNamed(this.#orm, {
      found: selectSession(this.#orm, ref),
      events: selectEvents(this.#orm, ref.id, {
        after: 0,
        limit: MAX_DETAIL_EVENTS,
      }),
      metrics: selectMetrics(this.#orm, ref.id, MAX_DETAIL_METRICS),
    });
    return { session: found[0], events, metrics: metrics.toReversed() };
  }

  async target({ id, owner }: SessionRef): Promise<SessionTarget | undefined> {
    const { target, targetOfOwner } = this.#queries;
    const [found] = owner === undefined
      ? await target.all({ id })
      : await targetOfOwner.all({ id, owner });
    return found;
  }

  async logs(
    ref: SessionRef,
  ): Promise<{ readonly logs: string | null } | undefined> {
    const [row] = await this.#orm.select({ logs: sessions.logs }).from(sessions)
      .where(isSession(ref));
    return row;
  }

  async list(
    { status, work_pool_id, worker_id, label, limit, cursor }: SessionPage,
    owner?: string,
  ): Promise<readonly Session[]> {
    return await this.#orm.select(listedColumns).from(sessions).where(and(
      owner === undefined ? undefined : eq(sessions.owner, owner),
      status && inArray(sessions.status, [...status]),
      work_pool_id ? eq(sessions.workPoolId, work_pool_id) : undefined,
      worker_id ? eq(sessions.workerId, worker_id) : undefined,
      label && hasLabel(label),
      cursor ? lt(sessions.id, cursor) : undefined,
    )).orderBy(desc(sessions.id)).limit(limit);
  }
}

/** Builds the most frequent queries once. */
function prepareQueries({ orm }: Database) {
  const isId = eq(sessions.id, sql.placeholder("id"));
  const isOwner = eq(sessions.owner, sql.placeholder("owner"));
  const session = () => orm.select(sessionColumns).from(sessions).$dynamic();
  const target = () =>
    orm.select({
      id: sessions.id,
      status: sessions.status,
      statusReason: sessions.statusReason,
      endpoint: sessions.endpoint,
      workerId: sessions.workerId,
      ephemeral: sessions.ephemeral,
      maxConnections: sessions.maxConnections,
      keepAliveSeconds: sessions.keepAliveSeconds,
      reach: sessions.reach,
      tunnelUrl: workers.tunnelUrl,
      expiresAt: sessions.expiresAt,
      queueDeadlineAt: sessions.queueDeadlineAt,
      startDeadlineAt: sessions.startDeadlineAt,
    }).from(sessions).leftJoin(workers, eq(workers.id, sessions.workerId))
      .$dynamic();
  return {
    find: session().where(isId).prepare(),
    findOfOwner: session().where(and(isId, isOwner)).prepare(),
    target: target().where(isId).prepare(),
    targetOfOwner: target().where(and(isId, isOwner)).prepare(),
  };
}

function hasLabel([name, value]: readonly [string, string]): SQL {
  return sql`EXISTS (SELECT 1 FROM json_each(${sessions.labels}) AS label
    WHERE label.key = ${name} AND label.value = ${value})`;
}
