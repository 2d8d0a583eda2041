import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import type { StoredEvent } from "../event.ts";
import { events } from "../models.ts";
import { eventColumns } from "./list_events.ts";

/** Maximum number of events that one read returns. */
export const MAX_NEW = 500;

/** An event, and the labels of its session as a JSON object; null if the session is not stored. */
export interface LabelledEvent extends StoredEvent {
  readonly labels: string | null;
}

/** Returns the first events after a sequence, in order. One round trip. */
export async function readNew(
  db: Database,
  after: number,
): Promise<readonly LabelledEvent[]> {
  return await selectNew(db, { after }).events;
}

/** Returns the sequence of the last event; 0 if there is none. One round trip. */
export async function readLastSequence(db: Database): Promise<number> {
  const [last] = await selectLast(db, {}).last;
  return last?.sequence ?? 0;
}

const selectNew = prepare((
  { orm },
  bind: Bind<{ readonly after: number }>,
) => ({
  events: orm.all<LabelledEvent>(sql`SELECT ${eventColumns("e")},
      (SELECT s.labels FROM ${sessions} AS s WHERE s.id = e.session_id) AS labels
    FROM ${events} AS e WHERE e.sequence > ${bind("after")}
    ORDER BY e.sequence LIMIT ${sql.raw(String(MAX_NEW))}`),
}));

const selectLast = prepare(({ orm }) => ({
  last: orm.all<Pick<StoredEvent, "sequence">>(sql`SELECT e.sequence AS sequence
    FROM ${events} AS e WHERE e.sequence > 0
    ORDER BY e.sequence DESC LIMIT 1`),
}));
