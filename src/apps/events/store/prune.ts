import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import { events } from "../models.ts";

/** Maximum number of events that a step reads and deletes: some milliseconds. */
const MAX_ROWS = 1_000;

/** The result of one step. */
export interface PruneStep {
  /** Number of deleted events. */
  readonly pruned: number;
  /** True if there may be more to delete now. */
  readonly hasMore: boolean;
}

/** Deletes old events in steps of some milliseconds. */
export class EventPruner {
  readonly #db: Database;
  /** The last event that was deleted or is kept. */
  #last = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Deletes the oldest events from before a time, except those of stored sessions. The next step continues after them.
   *
   * One round trip if there is nothing to delete, otherwise two: the search must not block writes. A deleted session
   * does not come back between the two.
   */
  async step(before: number): Promise<PruneStep> {
    const last = this.#last;
    const old = await findOldest(this.#db, { last, before }).old;
    const end = old.at(-1);
    if (!end) return { pruned: 0, hasMore: false };
    const sequences = old.filter(({ isKept }) => isKept === 0)
      .map(({ sequence }) => sequence);
    let pruned = 0;
    if (sequences.length > 0) {
      const { rowsAffected } = await deleteEvents(this.#db, {
        sequences: JSON.stringify(sequences),
      }).deleted;
      pruned = rowsAffected;
    }
    this.#last = end.sequence;
    return { pruned, hasMore: old.length === MAX_ROWS };
  }

  /** Lets the next step begin with the oldest event, for events that were kept for sessions that are deleted now. */
  restart(): void {
    this.#last = 0;
  }
}

interface OldEvent {
  readonly sequence: number;
  /** 1 if its session is stored. */
  readonly isKept: 0 | 1;
}

const findOldest = prepare((
  { orm },
  bind: Bind<{ readonly last: number; readonly before: number }>,
) => ({
  // Times grow with the sequence: after an event that is not old there are no older ones.
  old: orm.all<OldEvent>(sql`SELECT page.sequence AS sequence,
      EXISTS (SELECT 1 FROM ${sessions} AS s
        WHERE s.id = page.session_id) AS "isKept"
    FROM (SELECT e.sequence, e.session_id, e.timestamp FROM ${events} AS e
      WHERE e.sequence > ${bind("last")} ORDER BY e.sequence
      LIMIT ${sql.raw(String(MAX_ROWS))}) AS page
    WHERE page.timestamp < ${bind("before")}`),
}));

const deleteEvents = prepare((
  { orm },
  bind: Bind<{ readonly sequences: string }>,
) => ({
  deleted: orm.run(sql`DELETE FROM ${events}
    WHERE sequence IN (SELECT value FROM json_each(${bind("sequences")}))`),
}));
