/**
 * Statements about requests of sessions.
 *
 * The events come first and the changes second, under the same condition and in one batch: every change has its event, and
 * no event is without a change.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { insertEvents } from "../../events/models.ts";
import { sessions } from "../../sessions/models.ts";
import type { SessionStatus } from "../../sessions/status.ts";
import type { Handover } from "../handover.ts";
import { handovers } from "../models.ts";
import { publicColumns } from "./columns.ts";
import {
  hasNoRequest,
  isSession,
  sessionOfEvent,
  type SessionRef,
  toIsoTime,
} from "./conditions.ts";

/** Number of requests of a session that are kept. */
const MAX_KEPT = 20;

/** A request to store. */
export interface NewRequest extends SessionRef {
  readonly handoverId: string;
  readonly reason: string;
  readonly hold: boolean;
  readonly untilUrl: string | null;
  readonly untilSelector: string | null;
  readonly by: string;
  readonly linkId: string | null;
  readonly linkToken: string | null;
  readonly timeoutMs: number;
  readonly now: number;
}

/** The state of a session as far as requests depend on it. */
export interface SessionState {
  readonly status: SessionStatus;
  readonly statusReason: string | null;
  readonly isStopping: 0 | 1;
}

/** The result of a request. */
export interface RequestOutcome {
  /** Absent if it was not stored. */
  readonly stored?: Handover | undefined;
  /** The open request of the session: the stored one, or one from before. */
  readonly openId?: string | undefined;
  /** Absent if there is no such session. */
  readonly session?: SessionState | undefined;
}

/** The newest request of a session, or the one with `handoverId`. */
export interface RequestRef extends SessionRef {
  readonly handoverId?: string | undefined;
}

/** Requests to people. Each method is one round trip. */
export class RequestStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Stores a request of a running session that has none, and gives control to the person. */
  async insert(request: NewRequest): Promise<RequestOutcome> {
    const { stored, open, session } = await batchNamed(
      this.#db.orm,
      insertRequest(this.#db, { ...request, hold: request.hold ? 1 : 0 }),
    );
    return { stored: stored[0], openId: open[0]?.id, session: session[0] };
  }

  /** Reads what decides whether a request can be stored. */
  async check(ref: SessionRef): Promise<Omit<RequestOutcome, "stored">> {
    const { open, session } = await batchNamed(
      this.#db.orm,
      checkSession(this.#db, ref),
    );
    return { openId: open[0]?.id, session: session[0] };
  }

  /** Returns a request; undefined without one. `isFound` is false if there is no such session. */
  async find(
    ref: RequestRef,
  ): Promise<{ readonly isFound: boolean; readonly handover?: Handover }> {
    const { session, newest } = await batchNamed(
      this.#db.orm,
      findRequest(this.#db, ref),
    );
    const [handover] = newest;
    return { isFound: session.length > 0, ...(handover ? { handover } : {}) };
  }

  /** Returns the encrypted token of the link of an open request. */
  async findToken(
    id: string,
  ): Promise<string | null | undefined> {
    const [row] = await findToken(this.#db, { id }).token;
    return row?.linkToken;
  }
}

const insertRequest = prepare((
  { orm },
  bind: Bind<Omit<NewRequest, "hold"> & { readonly hold: 0 | 1 }>,
) => {
  const now = bind("now");
  const by = bind("by");
  const id = bind("handoverId");
  const expiresAt = sql`min(${now} + ${
    bind("timeoutMs")
  }, ${sessions.expiresAt})`;
  const isFree = sql`${isSession(bind)} AND ${sessions.status} = 'running'
    AND ${sessions.stopRequestedAt} IS NULL AND ${hasNoRequest}`;
  const isUnchecked = sql`coalesce(${bind("untilUrl")}, ${
    bind("untilSelector")
  }) IS NULL`;
  return {
    requested: insertEvents(orm, {
      ...sessionOfEvent,
      type: "session.handover_requested",
      data: sql`json_object('handover_id', ${id}, 'reason', ${bind("reason")},
        'expires_at', ${toIsoTime(expiresAt)},
        'hold', json(iif(${bind("hold")}, 'true', 'false')), 'by', ${by})`,
      timestamp: now,
      source: sql`${sessions} WHERE ${isFree}`,
    }),
    changed: insertEvents(orm, {
      ...sessionOfEvent,
      type: "session.control_changed",
      data: sql`json_object('control', 'human',
        'previous', ${sessions.control}, 'by', ${by})`,
      timestamp: now,
      source:
        sql`${sessions} WHERE ${isFree} AND ${sessions.control} <> 'human'`,
    }),
    inserted: orm.run(sql`INSERT INTO ${handovers} (id, session_id, status,
        reason, hold, until_url, until_selector, requested_by, link_id,
        link_token, created_at, expires_at, checked_until)
      SELECT ${id}, ${sessions.id}, 'open', ${bind("reason")}, ${bind("hold")},
        ${bind("untilUrl")}, ${bind("untilSelector")}, ${by}, ${bind("linkId")},
        ${bind("linkToken")}, ${now}, ${expiresAt}, iif(${isUnchecked}, NULL, 0)
      FROM ${sessions} WHERE ${isFree}`),
    controlled: orm.update(sessions).set({ control: "human", updatedAt: now })
      .where(sql`${sessions.id} = ${bind("id")} AND ${sessions.id} IN (
        SELECT h.session_id FROM ${handovers} AS h WHERE h.id = ${id})`),
    pruned: orm.run(sql`DELETE FROM ${handovers} WHERE seq IN (
      SELECT h.seq FROM ${handovers} AS h INDEXED BY handovers_session
      WHERE h.session_id = ${bind("id")} AND h.status <> 'open'
      ORDER BY h.seq DESC LIMIT -1 OFFSET ${sql.raw(String(MAX_KEPT))})`),
    stored: orm.select(publicColumns).from(handovers)
      .where(sql`${handovers.id} = ${id}`),
    ...selectState(orm, bind),
  };
});

const checkSession = prepare(({ orm }, bind: Bind<SessionRef>) =>
  selectState(orm, bind)
);

/** Returns the statements that read the open request of a session, and its status. */
function selectState(orm: Database["orm"], bind: Bind<SessionRef>) {
  return {
    open: orm.all<{ readonly id: string }>(sql`SELECT h.id AS id
      FROM ${handovers} AS h INDEXED BY handovers_open
      WHERE h.session_id = ${bind("id")} AND h.status = 'open'`),
    session: orm.select({
      status: sessions.status,
      statusReason: sessions.statusReason,
      isStopping: sql<0 | 1>`${sessions.stopRequestedAt} IS NOT NULL`,
    }).from(sessions).where(isSession(bind)),
  };
}

const findRequest = prepare(({ orm }, bind: Bind<RequestRef>) => ({
  session: orm.select({ id: sessions.id }).from(sessions).where(
    isSession(bind),
  ),
  newest: orm.select(publicColumns).from(handovers).where(sql`
    ${handovers.sessionId} = ${bind("id")}
    AND (${bind("handoverId")} IS NULL OR ${handovers.id} = ${
    bind("handoverId")
  })
    AND EXISTS (SELECT 1 FROM ${sessions} WHERE ${isSession(bind)})`)
    .orderBy(sql`${handovers.seq} DESC`).limit(1),
}));

const findToken = prepare(({ orm }, bind: Bind<{ readonly id: string }>) => ({
  token: orm.select({ linkToken: handovers.linkToken }).from(handovers).where(
    sql`${handovers.id} = ${bind("id")} AND ${handovers.status} = 'open'`,
  ),
}));
