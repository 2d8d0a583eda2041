import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { apiKeys } from "../../keys/models.ts";
import { webhookDeliveries, webhooks } from "../models.ts";

/** Maximum number of deliveries that a step changes, of each kind: some milliseconds. */
const MAX_ROWS = 500;

/** The result of one step. */
export interface PruneStep {
  /** Number of deliveries that were deleted or have failed. */
  readonly pruned: number;
  /** True if there may be more now. */
  readonly hasMore: boolean;
}

/**
 * Deletes deliveries that ended before a time and those of deleted webhooks, and ends those that wait since before it for
 * a webhook that is not active, or for one whose owner's key is revoked or has expired. One round trip.
 */
export async function pruneDeliveries(
  db: Database,
  times: { readonly before: number; readonly now: number },
): Promise<PruneStep> {
  const { ended, orphaned, expired, unowned } = await batchNamed(
    db.orm,
    prune(db, times),
  );
  const counts = [ended, orphaned, expired, unowned].map((each) =>
    each.rowsAffected
  );
  return {
    pruned: counts.reduce((sum, each) => sum + each, 0),
    hasMore: counts.some((each) => each === MAX_ROWS),
  };
}

const prune = prepare((
  { orm },
  bind: Bind<{ readonly before: number; readonly now: number }>,
) => {
  const limit = sql.raw(String(MAX_ROWS));
  return {
    ended: orm.run(sql`DELETE FROM ${webhookDeliveries} WHERE id IN (
      SELECT d.id FROM ${webhookDeliveries} AS d
      INDEXED BY webhook_deliveries_ended
      WHERE d.ended_at < ${bind("before")} LIMIT ${limit})`),
    orphaned: orm.run(sql`DELETE FROM ${webhookDeliveries} WHERE id IN (
      SELECT d.id FROM ${webhooks} AS hook INDEXED BY webhooks_deleted
      CROSS JOIN ${webhookDeliveries} AS d ON d.webhook_id = hook.id
      WHERE hook.deleted_at IS NOT NULL LIMIT ${limit})`),
    expired: orm.run(sql`UPDATE ${webhookDeliveries} SET status = 'failed',
        ended_at = ${bind("now")}, due_at = NULL, lease_token = NULL,
        error = 'The webhook was not active for too long'
      WHERE id IN (SELECT d.id FROM ${webhooks} AS hook
      CROSS JOIN ${webhookDeliveries} AS d ON d.webhook_id = hook.id
      WHERE hook.active = 0 AND d.due_at < ${bind("before")} LIMIT ${limit})`),
    unowned: orm.run(sql`UPDATE ${webhookDeliveries} SET status = 'failed',
        ended_at = ${bind("now")}, due_at = NULL, lease_token = NULL,
        error = 'The key of the webhook is revoked or has expired'
      WHERE id IN (SELECT d.id FROM ${webhooks} AS hook
      CROSS JOIN ${webhookDeliveries} AS d ON d.webhook_id = hook.id
      WHERE hook.owner IS NOT NULL AND hook.deleted_at IS NULL
        AND d.ended_at IS NULL AND (hook.inactive_reason = 'key' OR EXISTS (
          SELECT 1 FROM ${apiKeys} AS k WHERE k.id = hook.owner
          AND (k.revoked_at IS NOT NULL OR k.expires_at <= ${bind("now")})))
      LIMIT ${limit})`),
    removed: orm.run(sql`DELETE FROM ${webhooks} WHERE deleted_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ${webhookDeliveries} AS d
        WHERE d.webhook_id = ${webhooks.id})`),
  };
});
