/** Statements of idempotency keys. An expired key counts as unused, even if its row still exists. */
import type { ResultSet } from "@libsql/client";
import { and, eq, gt, lte, notExists, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import {
  IDEMPOTENCY_TTL_MS,
  type IdempotencyKey,
  type IdempotentRequest,
} from "../../idempotency.ts";
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

/** Returns the statement that reads the record of a key. */
export function selectRecord(
  orm: LibSQLDatabase,
  request: IdempotencyKey,
  now: number,
): Statement<IdempotencyRecord[]> {
  return orm.select({
    fingerprint: idempotencyKeys.fingerprint,
    session: publicColumns,
  }).from(idempotencyKeys)
    .innerJoin(sessions, eq(sessions.id, idempotencyKeys.sessionId))
    .where(and(
      isKey(request),
      gt(idempotencyKeys.createdAt, now - IDEMPOTENCY_TTL_MS),
    ));
}

/** Returns the statement that records a request, if its session was inserted. */
export function record(
  orm: LibSQLDatabase,
  { caller, key, fingerprint }: IdempotentRequest,
  sessionId: string,
  now: number,
): Statement<ResultSet> {
  return orm.run(sql`INSERT INTO ${idempotencyKeys}
    (caller, key, fingerprint, session_id, created_at)
    SELECT ${caller}, ${key}, ${fingerprint}, ${sessions.id}, ${now}
    FROM ${sessions} WHERE ${sessions.id} = ${sessionId}`);
}

/** Returns the condition that a key has no record. */
export function isUnused(orm: LibSQLDatabase, request: IdempotencyKey): SQL {
  return notExists(
    orm.select({ one: sql`1` }).from(idempotencyKeys).where(isKey(request)),
  );
}

/** Returns the statement that deletes the record of a key if it has expired. */
export function expire(
  orm: LibSQLDatabase,
  request: IdempotencyKey,
  now: number,
): Statement<ResultSet> {
  return orm.delete(idempotencyKeys).where(and(
    isKey(request),
    lte(idempotencyKeys.createdAt, now - IDEMPOTENCY_TTL_MS),
  ));
}

function isKey({ caller, key }: IdempotencyKey): SQL | undefined {
  return and(eq(idempotencyKeys.caller, caller), eq(idempotencyKeys.key, key));
}
