/** Statements of idempotency keys. A key whose time is over counts as free, whether its row is still there or not. */
import type { ResultSet } from "@libsql/client";
import { and, eq, gt, lte, notExists, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../core/database.ts";
import {
  IDEMPOTENCY_TTL_MS,
  type IdempotencyKey,
  type IdempotentRequest,
} from "../idempotency.ts";
import { idempotencyKeys, sessions } from "../models.ts";
import type { Session } from "../session.ts";
import { publicColumns } from "./transition.ts";

/** What an earlier request under the same key has made. */
export interface IdempotencyRecord {
  /** Of the earlier request's body. */
  readonly fingerprint: string;
  /** As it is now. */
  readonly session: Session;
}

/** What is remembered under a key. */
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

/** Remembers the session of `sessionId`, if there is one. */
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

/** Whether nothing is remembered under the key. */
export function isUnused(orm: LibSQLDatabase, request: IdempotencyKey): SQL {
  return notExists(
    orm.select({ one: sql`1` }).from(idempotencyKeys).where(isKey(request)),
  );
}

/** Frees the key if its time is over. */
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
