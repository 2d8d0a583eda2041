import { and, type SQL, sql } from "drizzle-orm";
import { workers } from "../../workers/models.ts";
import type { CallerSql } from "../../../http/auth/worker_caller.ts";

/** Returns the condition that worker `id` exists, is the process of the proof, and belongs to a pool that the caller may serve. */
export function isProvenWorker(
  id: string | SQL,
  { proof, workPoolId = sql`NULL` }: CallerSql,
): SQL {
  return sql`EXISTS (SELECT 1 FROM ${workers} AS w WHERE w.id = ${id}
    AND w.secret_hash = ${proof.secretHash}
    AND w.instance_id = ${proof.instanceId}
    AND w.work_pool_id = coalesce(${workPoolId}, w.work_pool_id))`;
}

/** Returns the condition that all conditions are met. */
export function all(...conditions: readonly SQL[]): SQL {
  return and(...conditions) ?? sql`1`;
}
