/** Statements of idempotency keys. An expired key counts as unused, even if its row still exists. */
import type { ResultSet } from "@libsql/client";
import { and, eq, gt, lte, notExists, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import type { Bind } from "../../../../db/prepare.ts";
import type { IdempotencyKey } from "../../idempotency.ts";
import { idempotencyKeys, sessions } from "../../models.ts";
import type { Session } from "../../session.ts";
import { publicColumns } from "../columns.ts";

/** The record of an earlier request with the same key. */
export interface IdempotencyRecord {
  /** Fingerprint of the earlier request's body. */
  readonly fingerprint: string;
  /** The session that the earlier request created, in its current state. */
  readonly session: Session;
}

/** The values by which statements find the record of a key. */
export interface KeyValues extends IdempotencyKey {
  /** Time before which a used key has expired. */
  readonly usedSince: number;
}

/** The values of a new record. */
export interface RecordValues extends KeyValues {
  readonly fingerprint: string;
}

/** The values of the session that a record refers to. */
interface NewSessionValues {
  readonly id: string;
  readonly createdAt: number;
}

/** Returns the statement that reads the record of a key. */
export function selectRecord(
  orm: LibSQLDatabase,
  bind: Bind<KeyValues>,
): Statement<IdempotencyRecord[]> {
  return orm.select({
    fingerprint: idempotencyKeys.fingerprint,
    session: publicColumns,
  }).from(idempotencyKeys)
    .innerJoin(sessions, eq(sessions.id, idempotencyKeys.sessionId))
    .where(and(
      isKey(bind),
      gt(idempotencyKeys.createdAt, bind("usedSince")),
    ));
}

/** Returns the statement that records a request, if its session was inserted. */
export function insertRecord(
  orm: LibSQLDatabase,
  bind: Bind<RecordValues & NewSessionValues>,
): Statement<ResultSet> {
  return orm.run(sql`INSERT INTO ${idempotencyKeys}
    (caller, key, fingerprint, session_id, created_at)
    SELECT ${bind("caller")}, ${bind("key")}, ${bind("fingerprint")},
      ${sessions.id}, ${bind("createdAt")}
    FROM ${sessions} WHERE ${sessions.id} = ${bind("id")}`);
}

/** Returns the condition that a key has no record. */
export function isUnused(orm: LibSQLDatabase, bind: Bind<KeyValues>): SQL {
  return notExists(
    orm.select({ one: sql`1` }).from(idempotencyKeys).where(isKey(bind)),
  );
}

/** Returns the statement that deletes the record of a key if it has expired. */
export function expire(
  orm: LibSQLDatabase,
  bind: Bind<KeyValues>,
): Statement<ResultSet> {
  return orm.delete(idempotencyKeys).where(and(
    isKey(bind),
    lte(idempotencyKeys.createdAt, bind("usedSince")),
  ));
}

function isKey(bind: Bind<KeyValues>): SQL | undefined {
  return and(
    eq(idempotencyKeys.caller, bind("caller")),
    eq(idempotencyKeys.key, bind("key")),
  );
}
