import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { insertEvents } from "../../events/models.ts";
import { sessions } from "../../sessions/models.ts";
import type { Control } from "../../sessions/status.ts";
import { handovers, liveControls } from "../models.ts";
import { sessionOfEvent } from "./conditions.ts";

/** Maximum number of sessions whose control one pass ends. */
const MAX_ROWS = 200;

/** A change of the side that controls a session. */
export interface ControlChange {
  readonly id: string;
  readonly control: Exclude<Control, "human">;
  readonly by: string;
  readonly now: number;
  /** End of shared control, unless it is renewed. */
  readonly until: number;
}

/** The side that controls a session, and its open request. */
export interface ControlRow {
  readonly id: string;
  readonly control: Control;
  readonly handoverId: string | null;
  readonly reason: string | null;
  readonly expiresAt: number | null;
}

/** A session whose clients are held, and the request for it. */
export interface HoldRow {
  readonly sessionId: string;
  readonly handoverId: string;
}

/** The side that controls sessions. Each method is one round trip. */
export class ControlStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Changes the side that controls a running session without an open request. Returns false if nothing changed. */
  async set(change: ControlChange): Promise<boolean> {
    const { changed } = await batchNamed(
      this.#db.orm,
      setControl(this.#db, change),
    );
    return changed.length > 0;
  }

  /** Reads the state of sessions. */
  async read(ids: readonly string[]): Promise<readonly ControlRow[]> {
    return await readStates(this.#db, { ids: JSON.stringify(ids) }).states;
  }

  /** Returns the open requests that hold the clients of sessions. */
  async readHolds(ids: readonly string[]): Promise<readonly HoldRow[]> {
    return await readHolds(this.#db, { ids: JSON.stringify(ids) }).holds;
  }
}

const setControl = prepare(({ orm }, bind: Bind<ControlChange>) => {
  const isChanged = sql`${sessions.id} = ${bind("id")}
    AND ${sessions.status} = 'running' AND ${sessions.control} <> 'human'
    AND ${sessions.control} <> ${bind("control")}`;
  return {
    event: insertEvents(orm, {
      ...sessionOfEvent,
      type: "session.control_changed",
      data: sql`json_object('control', ${bind("control")},
        'previous', ${sessions.control}, 'by', ${bind("by")})`,
      timestamp: bind("now"),
      source: sql`${sessions} WHERE ${isChanged}`,
    }),
    changed: orm.update(sessions).set({
      control: bind("control"),
      updatedAt: bind("now"),
    }).where(isChanged).returning({ id: sessions.id }),
    renewed: orm.run(sql`INSERT INTO ${liveControls} (session_id, until)
      SELECT ${sessions.id}, ${bind("until")} FROM ${sessions}
      WHERE ${sessions.id} = ${bind("id")} AND ${sessions.control} = 'shared'
      ON CONFLICT (session_id) DO UPDATE SET until = excluded.until`),
    ended: orm.run(sql`DELETE FROM ${liveControls}
      WHERE session_id = ${bind("id")} AND ${bind("control")} = 'client'`),
  };
});

/** The statements that give back the control of viewers whose server is gone, to be run in this order. */
interface ExpiryStatements {
  readonly expiryEvents: Statement<ResultSet>;
  readonly expired: Statement<{ readonly id: string }[]>;
  readonly expiryEnded: Statement<ResultSet>;
}

/** Returns the statements that give back control that was not renewed in time. */
export function expireControl(
  orm: Database["orm"],
  now: SQL,
): ExpiryStatements {
  const due = sql`(SELECT l.session_id FROM ${liveControls} AS l
    INDEXED BY live_controls_until WHERE l.until <= ${now}
    ORDER BY l.until, l.rowid LIMIT ${sql.raw(String(MAX_ROWS))})`;
  const isDue =
    sql`${sessions.id} IN ${due} AND ${sessions.control} = 'shared'`;
  return {
    expiryEvents: insertEvents(orm, {
      ...sessionOfEvent,
      type: "session.control_changed",
      data: sql`json_object('control', 'client',
        'previous', ${sessions.control}, 'by', NULL)`,
      timestamp: now,
      source: sql`${sessions} WHERE ${isDue}`,
    }),
    expired: orm.update(sessions).set({ control: "client", updatedAt: now })
      .where(isDue).returning({ id: sessions.id }),
    expiryEnded: orm.run(
      sql`DELETE FROM ${liveControls} WHERE session_id IN ${due}`,
    ),
  };
}

/** JSON list of the ids of sessions. */
interface SessionIds {
  readonly ids: string;
}

const readStates = prepare(({ orm }, bind: Bind<SessionIds>) => ({
  states: orm.all<ControlRow>(sql`SELECT s.id AS id, s.control AS control,
      h.id AS handoverId, h.reason AS reason, h.expires_at AS expiresAt
    FROM json_each(${bind("ids")}) AS listed
    CROSS JOIN ${sessions} AS s ON s.id = listed.value
    LEFT JOIN ${handovers} AS h INDEXED BY handovers_open
      ON h.session_id = s.id AND h.status = 'open'`),
}));

const readHolds = prepare(({ orm }, bind: Bind<SessionIds>) => ({
  holds: orm.all<HoldRow>(sql`SELECT h.session_id AS sessionId,
      h.id AS handoverId
    FROM json_each(${bind("ids")}) AS listed
    CROSS JOIN ${handovers} AS h INDEXED BY handovers_open
      ON h.session_id = listed.value AND h.status = 'open'
    WHERE h.hold = 1`),
}));
