/**
 * Followed output of sessions: which sessions are followed, and the parts of output that their workers send.
 *
 * @module
 */
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import {
  bindCaller,
  type CallerValues,
  toCallerValues,
} from "../../../http/auth/worker_caller.ts";
import { sessionLogFollows, sessionLogParts, sessions } from "../models.ts";
import { HELD_STATUSES, isTerminal, SESSION_STATUSES } from "../status.ts";
import type { SessionStatus } from "../status.ts";
import { isProvenWorker } from "./conditions.ts";
import type { Holder } from "./history.ts";
import { isSession, type SessionRef } from "./select_session.ts";

/** Maximum number of parts of a session that are kept, and that one poll reads. */
const MAX_PARTS = 64;
const MAX_POLLED = 128;

/** A part of a session's output. */
export interface LogPart {
  readonly seq: number;
  readonly sessionId: string;
  readonly text: string;
  /** Number of bytes that were left out before it. */
  readonly omitted: number;
  /** True if it begins with the last lines from before the worker began to send. */
  readonly isFirst: boolean;
}

/** A part that the worker of a session sends. */
export type NewLogPart = Pick<LogPart, "text" | "omitted" | "isFirst">;

/** State of a session that a follower needs. */
export interface FollowedSession {
  readonly id: string;
  readonly status: SessionStatus;
  readonly statusReason: string | null;
}

/** A session when its follower begins. */
export interface OpenedSession extends FollowedSession {
  readonly workerId: string | null;
  /** Last output of the browser, after it has ended. */
  readonly logs: string | null;
  /** The last part that is stored. */
  readonly position: number;
  /** True if its worker sends output, or is about to. */
  readonly isDelivered: boolean;
}

/** A server that follows sessions, and the time until which it does. */
export interface Follow {
  readonly follower: string;
  readonly now: number;
  readonly until: number;
}

/** A followed session and the last part that was read. */
export interface WatchedLog {
  readonly id: string;
  readonly after: number;
}

/** The result of a poll. */
export interface PolledLogs {
  readonly parts: readonly LogPart[];
  readonly ended: readonly FollowedSession[];
  /** True if there may be more parts now. */
  readonly hasMore: boolean;
}

/** The result of {@linkcode LogStore.append}. */
export interface Appended {
  readonly isFound: boolean;
  /** False if the fencing token is stale, the session has ended or another worker holds it. */
  readonly isHeld: boolean;
  /** True while a client follows. */
  readonly isFollowed: boolean;
}

/** Each method is one round trip. */
export class LogStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Follows a session that has not ended, and reads its state and the parts after `after`; without it, those since its
   * worker began to send. No session if there is none.
   */
  async open(
    ref: SessionRef,
    { after, ...follow }: Follow & { readonly after?: number | undefined },
  ): Promise<
    {
      readonly session?: OpenedSession | undefined;
      readonly parts: readonly LogPart[];
    }
  > {
    const { session, parts } = await batchNamed(
      this.#db.orm,
      openStatements(this.#db, { ...ref, ...follow, after }),
    );
    return {
      session: session[0],
      parts: session[0] ? toParts(parts) : [],
    };
  }

  /** Reads new parts of watched sessions and their ends. With `follow`, it also continues to follow them. */
  async poll(
    watched: readonly WatchedLog[],
    follow?: Follow,
  ): Promise<PolledLogs> {
    const values = {
      watched: JSON.stringify(watched),
      follower: follow?.follower ?? "",
      now: follow?.now ?? 0,
      until: follow?.until ?? 0,
    };
    const { renewed, ...polled } = pollStatements(this.#db, values);
    const { ended, parts } = await batchNamed(this.#db.orm, {
      renewed: follow ? [renewed] : [],
      ...polled,
    });
    return {
      parts: toParts(parts),
      ended,
      hasMore: parts.length === MAX_POLLED,
    };
  }

  /** Follows a session until `until` at most. */
  async release(id: string, follower: string, until: number): Promise<void> {
    const { released } = releaseStatements(this.#db, { id, follower, until });
    await released;
  }

  /** Stores a part, unless it is empty, from the worker that holds the session and while clients follow. */
  async append(
    id: string,
    { text, omitted, isFirst }: NewLogPart,
    { holder, now }: { readonly holder: Holder; readonly now: number },
  ): Promise<Appended> {
    const { state } = await batchNamed(
      this.#db.orm,
      appendStatements(this.#db, {
        ...toCallerValues(holder.caller),
        fencingToken: holder.fencingToken,
        id,
        text,
        omitted,
        isFirst: Number(isFirst),
        now,
      }),
    );
    const [found] = state;
    return {
      isFound: found !== undefined,
      isHeld: found?.isHeld === 1,
      isFollowed: found?.isFollowed === 1,
    };
  }
}

const HELD = sql.raw(`('${HELD_STATUSES.join("', '")}')`);

const TERMINAL = sql.raw(
  `('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`,
);

interface PartRow extends Omit<LogPart, "isFirst"> {
  readonly isFirst: 0 | 1;
}

/** Returns the parts in order. They are few, and the database would sort them too. */
function toParts(rows: readonly PartRow[]): readonly LogPart[] {
  return rows.map((row) => ({ ...row, isFirst: row.isFirst === 1 }))
    .sort((a, b) => a.seq - b.seq);
}

const PART_COLUMNS = sql.raw(`part.seq AS seq, part.session_id AS "sessionId",
  part.text AS text, part.omitted AS omitted, part.is_first AS "isFirst"`);

/** Returns the condition that another server follows the session and its worker sends output. */
function isSentToOthers({ id, follower, now }: {
  readonly id: SQL;
  readonly follower: SQL;
  readonly now: SQL;
}): SQL {
  return sql`EXISTS (SELECT 1 FROM ${sessionLogFollows} AS other
    WHERE other.session_id = ${id} AND other.follower <> ${follower}
    AND other.followed_until > ${now} AND other.is_delivered = 1)`;
}

/** Follows the sessions that `source` selects as a table `s`. */
function insertFollows(
  orm: LibSQLDatabase,
  source: SQL,
  bind: Bind<Follow>,
) {
  const others = isSentToOthers({
    id: sql`s.id`,
    follower: bind("follower"),
    now: bind("now"),
  });
  // A row that has expired begins anew: its worker has stopped.
  return orm.run(sql`INSERT INTO ${sessionLogFollows}
      (session_id, follower, followed_until, is_delivered)
    SELECT s.id, ${bind("follower")}, ${bind("until")}, ${others}
    FROM ${source} AND s.status NOT IN ${TERMINAL}
    ON CONFLICT (session_id, follower) DO UPDATE SET
      followed_until = excluded.followed_until,
      is_delivered = iif(followed_until > ${bind("now")}, is_delivered,
        excluded.is_delivered)`);
}

interface OpenValues extends SessionRef, Follow {
  readonly after: number | undefined;
}

const openStatements = prepare(({ orm }, bind: Bind<OpenValues>) => {
  const id = bind("id");
  // Decided before the follower has a row of its own: parts from before are of a worker that has stopped.
  const isSent = sql`EXISTS (SELECT 1 FROM ${sessionLogFollows} AS f
    WHERE f.session_id = ${id} AND f.followed_until > ${bind("now")}
    AND f.is_delivered = 1)`;
  return {
    parts: orm.all<PartRow>(sql`SELECT ${PART_COLUMNS}
      FROM ${sessionLogParts} AS part
      WHERE part.session_id = ${id} AND part.seq > coalesce(${bind("after")},
        (SELECT max(first.seq) - 1 FROM ${sessionLogParts} AS first
          WHERE first.session_id = ${id} AND first.is_first = 1 AND ${isSent}),
        (SELECT max(last.seq) FROM ${sessionLogParts} AS last
          WHERE last.session_id = ${id} AND NOT ${isSent}), 0)`),
    followed: insertFollows(
      orm,
      sql`${sessions} AS s WHERE s.id = ${id}
        AND (${bind("owner")} IS NULL OR s.owner = ${bind("owner")})`,
      bind,
    ),
    session: orm.select({
      id: sessions.id,
      status: sessions.status,
      statusReason: sessions.statusReason,
      workerId: sessions.workerId,
      logs: sessions.logs,
      position: sql<number>`coalesce((SELECT last.seq
        FROM ${sessionLogParts} AS last WHERE last.session_id = ${id}
        ORDER BY last.seq DESC LIMIT 1), 0)`,
      isDelivered: sql<boolean>`coalesce((SELECT f.is_delivered
        FROM ${sessionLogFollows} AS f WHERE f.session_id = ${id}
        AND f.follower = ${bind("follower")}), 0)`.mapWith(Boolean),
    }).from(sessions).where(isSession(bind)),
  };
});

interface PollValues extends Follow {
  /** JSON list of {@linkcode WatchedLog}. */
  readonly watched: string;
}

const pollStatements = prepare(({ orm }, bind: Bind<PollValues>) => {
  const ids = sql`json_each(${bind("watched")}) AS ids`;
  const id = sql`(ids.value ->> 'id')`;
  return {
    renewed: insertFollows(
      orm,
      sql`${ids} CROSS JOIN ${sessions} AS s WHERE s.id = ${id}`,
      bind,
    ),
    ended: orm.all<FollowedSession>(sql`SELECT ${sessions.id} AS id,
        ${sessions.status} AS status,
        ${sessions.statusReason} AS "statusReason"
      FROM ${ids} CROSS JOIN ${sessions} WHERE ${sessions.id} = ${id}
      AND ${sessions.status} IN ${TERMINAL}`),
    parts: orm.all<PartRow>(sql`SELECT ${PART_COLUMNS}
      FROM ${ids} CROSS JOIN ${sessionLogParts} AS part
      WHERE part.session_id = ${id}
      AND part.seq > CAST(ids.value ->> 'after' AS INTEGER)
      LIMIT ${sql.raw(String(MAX_POLLED))}`),
  };
});

const releaseStatements = prepare((
  { orm },
  bind: Bind<{
    readonly id: string;
    readonly follower: string;
    readonly until: number;
  }>,
) => ({
  released: orm.run(sql`UPDATE ${sessionLogFollows}
    SET followed_until = min(followed_until, ${bind("until")})
    WHERE session_id = ${bind("id")} AND follower = ${bind("follower")}`),
}));

interface AppendValues extends CallerValues {
  readonly id: string;
  readonly fencingToken: number;
  readonly text: string;
  readonly omitted: number;
  readonly isFirst: number;
  readonly now: number;
}

const appendStatements = prepare(({ orm }, bind: Bind<AppendValues>) => {
  const id = bind("id");
  const isHeld = sql`(s.fencing_token = ${bind("fencingToken")}
    AND s.status IN ${HELD}
    AND ${isProvenWorker(sql`s.worker_id`, bindCaller(bind))})`;
  const isFollowed = sql`EXISTS (SELECT 1 FROM ${sessionLogFollows} AS f
    WHERE f.session_id = s.id AND f.followed_until > ${bind("now")})`;
  return {
    added: orm.run(sql`INSERT INTO ${sessionLogParts}
        (session_id, text, omitted, is_first, created_at)
      SELECT s.id, ${bind("text")}, ${bind("omitted")}, ${bind("isFirst")},
        ${bind("now")}
      FROM ${sessions} AS s WHERE s.id = ${id} AND ${isHeld} AND ${isFollowed}
      AND (${bind("text")} <> '' OR ${bind("omitted")} > 0
        OR ${bind("isFirst")} = 1)`),
    trimmed: orm.run(sql`DELETE FROM ${sessionLogParts}
      WHERE session_id = ${id} AND seq <= (SELECT old.seq
        FROM ${sessionLogParts} AS old WHERE old.session_id = ${id}
        ORDER BY old.seq DESC LIMIT 1 OFFSET ${sql.raw(String(MAX_PARTS))})`),
    state: orm.all<
      { readonly isHeld: 0 | 1; readonly isFollowed: 0 | 1 }
    >(sql`SELECT ${isHeld} AS "isHeld", ${isFollowed} AS "isFollowed"
      FROM ${sessions} AS s WHERE s.id = ${id}`),
  };
});
