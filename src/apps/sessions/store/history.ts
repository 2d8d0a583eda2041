import {
  and,
  eq,
  gt,
  inArray,
  type Placeholder,
  type SQL,
  sql,
} from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import type { SeriesPage, SeriesQuery } from "../../../db/series/reader.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { events } from "../../events/models.ts";
import { SESSION_EVENT_NAMES, type SessionEventName } from "../event_types.ts";
import { sessions } from "../models.ts";
import type { SessionMetricValues } from "../schemas/history.ts";
import type { SessionEvent, SessionMetric } from "../session.ts";
import { HELD_STATUSES } from "../status.ts";
import { isProvenWorker } from "./conditions.ts";
import { insertMetrics, sessionMetricReader } from "./metrics.ts";
import { selectId, type SessionRef } from "./select_session.ts";
import { insertEvent } from "./lifecycle/transition.ts";

/** JSON object with the names of events by type. */
const NAMES = JSON.stringify(SESSION_EVENT_NAMES);

/** The worker that holds a session, and proves it. */
export interface Holder {
  readonly fencingToken: number;
  readonly caller: WorkerCaller;
}

/** An event that the holder of a session records. */
export interface HolderEvent extends Holder {
  readonly event: SessionEventName;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events and measurements of sessions. Each method is one round trip, and returns undefined if there is no such session. */
export class HistoryStore {
  readonly #db: Database;
  readonly #orm: Database["orm"];

  constructor(db: Database) {
    this.#db = db;
    this.#orm = db.orm;
  }

  async events(
    ref: SessionRef,
    after: number,
    limit: number,
  ): Promise<readonly SessionEvent[] | undefined> {
    const { found, events } = await batchNamed(
      this.#orm,
      listEvents(this.#db, { ...ref, after, limit }),
    );
    return found[0] && events;
  }

  /** Returns measurements, oldest first. */
  async metrics(
    ref: SessionRef,
    query: Omit<SeriesQuery, "id">,
    now: number,
  ): Promise<SeriesPage<SessionMetric> | undefined> {
    const { found, metrics } = await batchNamed(this.#orm, {
      found: findId(this.#db, ref).found,
      metrics: sessionMetricReader.select(this.#db, { ...query, id: ref.id }),
    });
    return found[0] && sessionMetricReader.toPage(metrics, query, now);
  }

  /** Returns false if the fencing token is stale or the session has ended. */
  async addEvent(
    id: string,
    { event, data, ...holder }: HolderEvent,
    now: number,
  ): Promise<boolean | undefined> {
    const { found, inserted } = await batchNamed(this.#orm, {
      found: this.#orm.select({ id: sessions.id }).from(sessions).where(
        eq(sessions.id, id),
      ),
      inserted: insertEvent(this.#orm, event, isHeld(id, holder), now, data),
    });
    return found[0] && inserted.rowsAffected > 0;
  }

  /** Returns false if the fencing token is stale or the session has ended. */
  async addMetric(
    id: string,
    { fencingToken, caller, ...values }: SessionMetricValues & Holder,
    now: number,
  ): Promise<boolean | undefined> {
    const holder = { fencingToken, caller };
    const { found, inserted } = await batchNamed(this.#orm, {
      found: this.#orm.select({ id: sessions.id }).from(sessions).where(
        eq(sessions.id, id),
      ),
      inserted: insertMetrics(this.#orm, {
        values: sql`${JSON.stringify(values)}`,
        now,
        from: sql`${sessions} WHERE ${isHeld(id, holder)}`,
      }),
    });
    return found[0] && inserted.rowsAffected > 0;
  }
}

const findId = prepare(({ orm }, bind: Bind<SessionRef>) => ({
  found: selectId(orm, bind),
}));

const listEvents = prepare((
  { orm },
  bind: Bind<SessionRef & { readonly after: number; readonly limit: number }>,
) => ({
  found: selectId(orm, bind),
  events: selectEvents(orm, {
    id: bind("id"),
    after: bind("after"),
    limit: sql.placeholder("limit"),
  }),
}));

/** Returns the statement that reads a session's events after a sequence number, oldest first. */
export function selectEvents(
  orm: LibSQLDatabase,
  { id, after, limit }: {
    readonly id: SQL<string>;
    readonly after: SQL<number> | number;
    readonly limit: number | Placeholder;
  },
): Statement<SessionEvent[]> {
  return orm.select({
    seq: events.sequence,
    sessionId: sql<string>`${events.sessionId}`,
    event: sql<
      SessionEventName
    >`${NAMES} ->> ('$."' || ${events.type} || '"')`,
    data: events.data,
    timestamp: events.timestamp,
  }).from(events).where(and(
    eq(events.sessionId, id),
    gt(events.sequence, after),
    inArray(events.type, Object.keys(SESSION_EVENT_NAMES)),
  )).orderBy(events.sequence).limit(limit);
}

function isHeld(id: string, { fencingToken, caller }: Holder): SQL {
  return and(
    eq(sessions.id, id),
    isProvenWorker(sql`${sessions.workerId}`, caller),
    eq(sessions.fencingToken, fencingToken),
    inArray(sessions.status, [...HELD_STATUSES]),
  ) ?? sql`0`;
}
