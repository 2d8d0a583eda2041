import { insertEvents } from "../../../src/apps/events/models.ts";
import { sql } from "drizzle-orm";
import type { TestGrid } from "../../support/grid.ts";

/** Columns of an event. */
export interface EventFields {
  readonly type?: string;
  readonly session?: string;
  readonly pool?: string;
  readonly worker?: string;
  readonly owner?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly timestamp?: number;
}

/** Records `count` events of the same fields. */
export async function record(
  { core: { db } }: Pick<TestGrid, "core">,
  { type = "pool.updated", timestamp = 1, data = {}, ...ids }: EventFields,
  count = 1,
): Promise<void> {
  const id = (value: string | undefined) => sql`${value ?? null}`;
  await insertEvents(db.orm, {
    type,
    sessionId: id(ids.session),
    workPoolId: id(ids.pool),
    workerId: id(ids.worker),
    owner: id(ids.owner),
    data,
    timestamp,
    source: sql`(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
      SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n)`,
  });
}
