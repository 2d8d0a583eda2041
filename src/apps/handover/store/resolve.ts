import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { insertEvents } from "../../events/models.ts";
import { liveLinks } from "../../live/models.ts";
import { sessions } from "../../sessions/models.ts";
import type { Handover } from "../handover.ts";
import { handovers } from "../models.ts";
import type { HandoverResult } from "../status.ts";
import { publicColumns } from "./columns.ts";
import { expireControl } from "./control.ts";
import {
  isSession,
  sessionOfEvent,
  type SessionRef,
  toIsoTime,
} from "./conditions.ts";

/** Maximum number of requests that one pass ends. */
const MAX_ROWS = 200;

/** The end of the open request of a session. */
export interface Resolution extends SessionRef {
  readonly result: HandoverResult;
  /** Only this request, if it is still open. */
  readonly handoverId?: string | undefined;
  readonly note?: string | null;
  readonly by: string | null;
  readonly now: number;
}

/** Ends of requests. Each method is one round trip. Of several ends of one request, the first one wins. */
export class ResolutionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Ends the open request of a session. `isFound` is false if there is no such session. */
  async resolve(
    resolution: Resolution,
  ): Promise<{ readonly isFound: boolean; readonly resolved?: Handover }> {
    const { resolved: [resolved], session } = await batchNamed(
      this.#db.orm,
      resolveOne(this.#db, { note: null, ...resolution }),
    );
    return { isFound: session.length > 0, ...(resolved ? { resolved } : {}) };
  }

  /**
   * Ends requests whose timeout has passed, and gives back the control of viewers whose server is gone. `hasUnchecked`
   * tells that a condition waits for a server that checks it.
   */
  async resolveDue(
    now: number,
  ): Promise<
    {
      readonly resolved: readonly Handover[];
      /** Ids of the sessions whose control was given back. */
      readonly expired: readonly string[];
      readonly hasUnchecked: boolean;
    }
  > {
    const { resolved, expired, unchecked } = await batchNamed(
      this.#db.orm,
      resolveDue(this.#db, { now, result: "timed_out", by: null, note: null }),
    );
    return {
      resolved,
      expired: expired.map(({ id }) => id),
      hasUnchecked: unchecked.length > 0,
    };
  }
}

/** Values of the statements of a resolution. */
interface ResolutionValues {
  readonly result: HandoverResult;
  readonly note?: string | null;
  readonly by: string | null;
  readonly now: number;
}

/** The statements of a resolution, to be run in this order. */
interface ResolutionStatements {
  readonly ended: Statement<ResultSet>;
  readonly changed: Statement<ResultSet>;
  readonly controlled: Statement<ResultSet>;
  readonly linkEnded: Statement<ResultSet>;
  readonly linkRevoked: Statement<ResultSet>;
  readonly resolved: Statement<Handover[]>;
}

/** Returns the condition that a link can be revoked. */
function isValidLink(now: SQL): SQL {
  return sql`${liveLinks.revokedAt} IS NULL AND ${liveLinks.expiresAt} > ${now}`;
}

/** Returns the statements that end the requests that meet `condition`, which may name columns of `handovers` only. */
function resolve(
  orm: Database["orm"],
  condition: SQL,
  bind: Bind<ResolutionValues>,
): ResolutionStatements {
  const now = bind("now");
  const by = bind("by");
  const joined = sql`${handovers} CROSS JOIN ${sessions}
    ON ${sessions.id} = ${handovers.sessionId}`;
  return {
    ended: insertEvents(orm, {
      ...sessionOfEvent,
      type: "session.handover_resolved",
      data: sql`json_object('handover_id', ${handovers.id},
        'result', ${bind("result")}, 'by', ${by})`,
      timestamp: now,
      source: sql`${joined} WHERE ${condition}`,
    }),
    changed: insertEvents(orm, {
      ...sessionOfEvent,
      type: "session.control_changed",
      data: sql`json_object('control', 'client',
        'previous', ${sessions.control}, 'by', ${by})`,
      timestamp: now,
      source: sql`${joined} WHERE ${condition}
        AND ${sessions.control} <> 'client'`,
    }),
    controlled: orm.update(sessions).set({ control: "client", updatedAt: now })
      .where(sql`${sessions.id} IN (
        SELECT ${handovers.sessionId} FROM ${handovers} WHERE ${condition})
        AND ${sessions.control} <> 'client'`),
    linkEnded: insertEvents(orm, {
      ...sessionOfEvent,
      type: "live_link.revoked",
      data: sql`json_object('link_id', ${liveLinks.id},
        'mode', ${liveLinks.mode},
        'expires_at', ${toIsoTime(sql`${liveLinks.expiresAt}`)},
        'revoked_by', coalesce(${by}, 'handover'))`,
      timestamp: now,
      source: sql`${joined} CROSS JOIN ${liveLinks}
        ON ${liveLinks.id} = ${handovers.linkId}
        WHERE ${condition} AND ${isValidLink(now)}`,
    }),
    linkRevoked: orm.run(sql`UPDATE ${liveLinks} SET revoked_at = ${now}
      WHERE ${liveLinks.id} IN (SELECT ${handovers.linkId}
        FROM ${handovers} WHERE ${condition})
      AND ${isValidLink(now)}`),
    resolved: orm.update(handovers).set({
      status: bind("result"),
      note: bind("note"),
      resolvedBy: by,
      resolvedAt: now,
      linkToken: null,
      checkedUntil: null,
    }).where(condition).returning(publicColumns),
  };
}

const resolveOne = prepare(({ orm }, bind: Bind<Resolution>) => ({
  ...resolve(
    orm,
    sql`${handovers.sessionId} = ${bind("id")} AND ${handovers.status} = 'open'
      AND ${handovers.id} = coalesce(${bind("handoverId")}, ${handovers.id})
      AND EXISTS (SELECT 1 FROM ${sessions} WHERE ${isSession(bind)})`,
    bind,
  ),
  session: orm.select({ id: sessions.id }).from(sessions).where(
    isSession(bind),
  ),
}));

const resolveDue = prepare(({ orm }, bind: Bind<ResolutionValues>) => ({
  ...resolve(
    orm,
    sql`${handovers.seq} IN (SELECT due.seq FROM ${handovers} AS due
      INDEXED BY handovers_due
      WHERE due.status = 'open' AND due.expires_at <= ${bind("now")}
      LIMIT ${sql.raw(String(MAX_ROWS))})`,
    bind,
  ),
  ...expireControl(orm, bind("now")),
  unchecked: orm.all<{ readonly found: 1 }>(sql`SELECT 1 AS found
    FROM ${handovers} AS h INDEXED BY handovers_checked
    WHERE h.checked_until < ${bind("now")} LIMIT 1`),
}));
