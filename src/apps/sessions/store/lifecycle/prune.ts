import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../../db/prepare.ts";
import {
  idempotencyKeys,
  sessionLogFollows,
  sessionLogParts,
  sessionMetrics,
  sessions,
} from "../../models.ts";

/** Maximum number of sessions that are deleted at once. */
const MAX_SESSIONS = 100;

/** Maximum number of rows of another table that are deleted at once: a long session has tens of thousands, and a delete blocks every write and every stream. */
const MAX_ROWS = 1_000;

/** Times before which rows are deleted. */
export interface PruneLimits {
  /** Sessions that ended before this time. */
  readonly ended: number;
  /** Idempotency keys that were used before this time. */
  readonly keys: number;
  /** Followed output that was sent, and servers that followed it, before this time. */
  readonly logs: number;
}

/** The result of one step. */
export interface PruneStep {
  /** Number of deleted sessions. */
  readonly pruned: number;
  /** True if there may be more to delete now. */
  readonly hasMore: boolean;
}

/** Deletes old sessions and idempotency keys in steps of some milliseconds. */
export class SessionPruner {
  readonly #db: Database;
  /** The last session that was deleted or is kept; the first step after the end begins anew. */
  #last: Position = START;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Deletes the oldest sessions and keys. A session that a repeated request must find is kept as long as its key; the
   * next step continues after it, so that any number of them does not hold up the others.
   *
   * One round trip if there is nothing to delete, otherwise two: the search must not block writes. An ended session does
   * not become live between the two, and a key is created only with its session.
   */
  async step(limits: PruneLimits): Promise<PruneStep> {
    const found = await batchNamed(
      this.#db.orm,
      findOldest(this.#db, { ...limits, ...this.#last }),
    );
    const ids = found.oldest.filter(({ isKept }) => isKept === 0)
      .map(({ id }) => id);
    const isEnd = found.oldest.length < MAX_SESSIONS;
    let pruned = 0;
    const hasRows = found.keys.length + found.logs.length > 0;
    if (ids.length > 0 || hasRows) {
      const results = await batchNamed(
        this.#db.orm,
        deleteOldest(this.#db, { ...limits, ids: JSON.stringify(ids) }),
      );
      pruned = results.pruned.rowsAffected;
    }
    const isPartial = pruned < ids.length;
    const last = found.oldest.at(-1);
    // Sessions whose rows are not all deleted are found again.
    if (!isPartial) this.#last = isEnd || !last ? START : last;
    return {
      pruned,
      hasMore: isPartial || !isEnd || found.keys.length === MAX_ROWS ||
        found.logs.length === MAX_ROWS,
    };
  }
}

/** A position in the index of ended sessions. */
interface Position {
  readonly endedAt: number;
  readonly rowid: number;
}

const START: Position = { endedAt: 0, rowid: 0 };

interface OldSession extends Position {
  readonly id: string;
  /** 1 if a repeated request must find it. */
  readonly isKept: 0 | 1;
}

const findOldest = prepare((
  { orm },
  bind: Bind<PruneLimits & Position>,
) => ({
  oldest: orm.all<OldSession>(sql`SELECT old.id, old.ended_at AS "endedAt",
      old.rowid, EXISTS (SELECT 1 FROM ${idempotencyKeys} AS key
        WHERE key.session_id = old.id
        AND key.created_at > ${bind("keys")}) AS "isKept"
    FROM ${sessions} AS old INDEXED BY sessions_ended
    WHERE old.ended_at < ${bind("ended")} AND old.ended_at >= ${bind("endedAt")}
    AND (old.ended_at > ${bind("endedAt")} OR old.rowid > ${bind("rowid")})
    ORDER BY old.ended_at, old.rowid LIMIT ${sql.raw(String(MAX_SESSIONS))}`),
  keys: orm.all(sql`SELECT 1 FROM ${idempotencyKeys}
    WHERE created_at <= ${bind("keys")} LIMIT ${sql.raw(String(MAX_ROWS))}`),
  logs: orm.all(sql`SELECT 1 FROM ${sessionLogParts}
    WHERE created_at <= ${bind("logs")}
    UNION ALL SELECT 1 FROM ${sessionLogFollows}
    WHERE followed_until <= ${bind("logs")}
    LIMIT ${sql.raw(String(MAX_ROWS))}`),
}));

const deleteOldest = prepare((
  { orm },
  bind: Bind<
    { readonly ids: string; readonly keys: number; readonly logs: number }
  >,
) => ({
  keys: orm.run(sql`DELETE FROM ${idempotencyKeys} WHERE rowid IN (SELECT
    rowid FROM ${idempotencyKeys} WHERE created_at <= ${bind("keys")}
    LIMIT ${sql.raw(String(MAX_ROWS))})`),
  logs: orm.run(sql`DELETE FROM ${sessionLogParts} WHERE seq IN (SELECT seq
    FROM ${sessionLogParts} WHERE created_at <= ${bind("logs")}
    LIMIT ${sql.raw(String(MAX_ROWS))})`),
  follows: orm.run(sql`DELETE FROM ${sessionLogFollows}
    WHERE followed_until <= ${bind("logs")}`),
  metrics: orm.run(deleteMetrics(bind("ids"))),
  pruned: orm.run(deleteEmpty(bind("ids"))),
}));

/** Deletes the first measurements of the sessions, in the sessions' order. */
function deleteMetrics(ids: SQL): SQL {
  return sql`DELETE FROM ${sessionMetrics} WHERE seq IN (SELECT one.seq
    FROM json_each(${ids}) AS old CROSS JOIN ${sessionMetrics} AS one
    WHERE one.session_id = old.value LIMIT ${sql.raw(String(MAX_ROWS))})`;
}

/** Deletes the sessions that have no more measurements. */
function deleteEmpty(ids: SQL): SQL {
  return sql`DELETE FROM ${sessions}
    WHERE ${sessions.id} IN (SELECT value FROM json_each(${ids}))
    AND NOT EXISTS (SELECT 1 FROM ${sessionMetrics} AS one
      WHERE one.session_id = ${sessions.id})`;
}
