/**
 * Adds sessions to the queue. Like a claim, an insertion is one batch, so that limits and idempotency keys hold for any
 * number of concurrent requests on any number of servers.
 *
 * @module
 */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Secrets } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../../db/prepare.ts";
import { countPoolRoom, workPools } from "../../../workerpool/models.ts";
import {
  IDEMPOTENCY_TTL_MS,
  type IdempotencyKey,
  type IdempotentRequest,
} from "../../idempotency.ts";
import { sessions } from "../../models.ts";
import type { SessionRow } from "../../session.ts";
import {
  expire,
  type IdempotencyRecord,
  insertRecord,
  isUnused,
  type KeyValues,
  type RecordValues,
  selectRecord,
} from "./idempotency.ts";
import {
  type FullKeyQueue,
  fullKeyQueue,
  isKeyQueueFull,
} from "./key_queue.ts";
import { sealSession } from "../secrets.ts";
import { insertEvent } from "../lifecycle/transition.ts";

/** The result of an insertion. Without session, record and key queue, the pool is gone, not active or full. */
export interface Insertion {
  readonly isInserted: boolean;
  /** For a request with a key: the record of the key, with the new session or an earlier one. */
  readonly record?: IdempotencyRecord | undefined;
  /** The queue of the owner's API key, if that limit was the cause. */
  readonly keyQueue?: FullKeyQueue | undefined;
}

/** Inserts the session if its pool accepts it, and if `once` does not repeat an earlier request. One round trip. */
export async function insertSession(
  { db, secrets }: { readonly db: Database; readonly secrets: Secrets },
  session: SessionRow,
  once?: IdempotentRequest,
): Promise<Insertion> {
  const row = await sealSession(secrets, session);
  if (!once) {
    const { inserted, keyQueue } = await batchNamed(
      db.orm,
      insertStatements(db, row),
    );
    return { isInserted: inserted.rowsAffected > 0, keyQueue: keyQueue[0] };
  }
  const { inserted, keyQueue, record } = await batchNamed(
    db.orm,
    insertOnceStatements(db, {
      ...row,
      ...once,
      usedSince: row.createdAt - IDEMPOTENCY_TTL_MS,
    }),
  );
  return {
    isInserted: inserted.rowsAffected > 0,
    record: record[0],
    keyQueue: keyQueue[0],
  };
}

/** Returns the record of an earlier request with the same key. One round trip. */
export async function findRecord(
  db: Database,
  { caller, key }: IdempotencyKey,
  now: number,
): Promise<IdempotencyRecord | undefined> {
  const usedSince = now - IDEMPOTENCY_TTL_MS;
  const [found] = await findStatements(db, { caller, key, usedSince }).record;
  return found;
}

const findStatements = prepare(({ orm }, bind: Bind<KeyValues>) => ({
  record: selectRecord(orm, bind),
}));

const insertStatements = prepare(({ orm }, bind: Bind<SessionRow>) => ({
  keyQueue: fullKeyQueue(orm, bind),
  inserted: orm.run(insertIfOpen(bind)),
  ...insertEvents(orm, bind),
}));

const insertOnceStatements = prepare(
  ({ orm }, bind: Bind<SessionRow & RecordValues>) => ({
    keyQueue: fullKeyQueue(orm, bind),
    expired: expire(orm, bind),
    inserted: orm.run(sql`${insertIfOpen(bind)} AND ${isUnused(orm, bind)}`),
    recorded: insertRecord(orm, bind),
    record: selectRecord(orm, bind),
    ...insertEvents(orm, bind),
  }),
);

/** Returns the statements that record the events of the session, if it was inserted. */
function insertEvents(orm: LibSQLDatabase, bind: Bind<SessionRow>) {
  const isNew = sql`${sessions.id} = ${bind("id")}`;
  const now = bind("createdAt");
  const pool = sql`json_object('work_pool_id', ${bind("workPoolId")})`;
  return {
    created: insertEvent(orm, "session_created", isNew, now),
    assigned: insertEvent(orm, "session_assigned", isNew, now, pool),
  };
}

/** Repeats the limits of pool and key, so that two concurrent requests cannot exceed them together. */
function insertIfOpen(bind: Bind<SessionRow>): SQL {
  const columns = Object.entries(getTableColumns(sessions));
  const names = columns.map(([, column]) => sql.identifier(column.name));
  const cells = columns.map(([key, column]) =>
    sql`${sql.param(sql.placeholder(key), column)}`
  );
  // The room of all workers is counted only if the sessions that wait exceed the limit without it.
  const pending = sql`(SELECT count(*) FROM ${sessions}
    WHERE ${sessions.workPoolId} = ${workPools.id}
    AND ${sessions.status} = 'pending')`;
  return sql`INSERT INTO ${sessions} (${sql.join(names, sql`, `)})
    SELECT ${sql.join(cells, sql`, `)} FROM ${workPools}
    WHERE ${workPools.id} = ${bind("workPoolId")}
    AND ${workPools.status} = 'active' AND NOT ${isKeyQueueFull(bind)}
    AND (${workPools.maxQueue} IS NULL OR ${workPools.maxQueue} > ${pending}
      OR ${workPools.maxQueue} + ${countPoolRoom()} > ${pending})`;
}
