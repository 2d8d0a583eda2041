import { and, eq, type SQL, sql } from "drizzle-orm";
import { sessions } from "../../sessions/models.ts";
import type { CallerSql } from "../../../http/auth/worker_caller.ts";
import { workers } from "../models.ts";

/** Returns the SQL condition that the caller is the current process of worker `id` and may serve its pool. */
export function isProven(
  id: string | SQL,
  { proof, workPoolId = sql`NULL` }: CallerSql,
): SQL | undefined {
  return and(
    eq(workers.id, id),
    eq(workers.secretHash, proof.secretHash),
    eq(workers.instanceId, proof.instanceId),
    sql`${workers.workPoolId} = coalesce(${workPoolId}, ${workers.workPoolId})`,
  );
}

/** Returns the SQL condition that a worker holds no session. */
export function holdsNothing(id: string | typeof workers.id): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ${sessions}
    WHERE ${sessions.workerId} = ${id}
    AND ${sessions.status} IN ('starting', 'running'))`;
}
