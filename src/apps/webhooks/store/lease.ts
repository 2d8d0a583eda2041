/**
 * Leases of deliveries. An attempt belongs to the server that holds the lease of its delivery; the lease is longer than
 * the attempt may take.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { apiKeys } from "../../keys/models.ts";
import { sessions } from "../../sessions/models.ts";
import { webhookDeliveries, webhooks } from "../models.ts";

/** Time of a lease in addition to the timeout of the webhook. */
export const LEASE_MARGIN_MS = 5_000;

/** Maximum number of deliveries of one webhook in one lease. */
export const MAX_PER_LEASE = 5;

/** A delivery that this server must attempt now, with its webhook. Secrets and headers are encrypted. */
export interface LeasedDelivery {
  readonly id: number;
  readonly messageId: string;
  readonly type: string;
  readonly data: string;
  readonly timestamp: number;
  readonly attempts: number;
  readonly webhookId: string;
  readonly webhookName: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly secret: string;
  readonly previousSecret: string | null;
  readonly previousSecretUntil: number | null;
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly includeConnectUrl: boolean;
  /** Trace of the session that the event belongs to. */
  readonly traceparent: string | null;
}

/** Selects deliveries to lease. */
export interface LeaseRequest {
  readonly token: string;
  readonly now: number;
  readonly limit: number;
  /** Ids of webhooks that this server has enough attempts of. */
  readonly busy: readonly string[];
}

/** The result of a poll. */
export interface Due {
  readonly hasActive: boolean;
  /** Earliest time at which a delivery is due; undefined if none waits. */
  readonly nextAt: number | undefined;
}

/** Finds out whether there is anything to deliver. Only reads. One round trip. */
export async function findDue(db: Database): Promise<Due> {
  return toDue(await selectDue(db, {}).due);
}

/** Converts the rows of {@linkcode selectDue}: none without an active webhook, otherwise one. */
export function toDue(
  [row]: readonly { readonly nextAt: number | null }[],
): Due {
  return { hasActive: row !== undefined, nextAt: row?.nextAt ?? undefined };
}

/** Leases due deliveries of active webhooks, in the order of their time. One round trip. */
export async function leaseDeliveries(
  db: Database,
  { busy, ...request }: LeaseRequest,
): Promise<readonly LeasedDelivery[]> {
  const { leased } = await batchNamed(
    db.orm,
    lease(db, { ...request, busy: JSON.stringify(busy) }),
  );
  return leased;
}

/** Condition that the key of the owner of the webhook `hook` is valid. */
const hasValidOwner = (now: ReturnType<Bind<{ now: number }>>) =>
  sql`(hook.owner IS NULL OR NOT EXISTS (SELECT 1 FROM ${apiKeys} AS k
    WHERE k.id = hook.owner AND k.expires_at <= ${now}))`;

/** Binds the statement of {@linkcode findDue}, as a part of a batch. */
export const selectDue = prepare(({ orm }) => ({
  due: orm.all<{ readonly nextAt: number | null }>(sql`SELECT
      min((SELECT min(d.due_at) FROM ${webhookDeliveries} AS d
        WHERE d.webhook_id = hook.id AND d.due_at IS NOT NULL)) AS "nextAt"
    FROM ${webhooks} AS hook INDEXED BY webhooks_active WHERE hook.active = 1
    HAVING count(*) > 0`),
}));

const lease = prepare((
  { orm },
  bind: Bind<{
    readonly token: string;
    readonly now: number;
    readonly limit: number;
    readonly busy: string;
  }>,
) => ({
  // Random order, so that webhooks that are slow do not keep the places of others.
  taken: orm.run(
    sql`UPDATE ${webhookDeliveries} SET lease_token = ${
      bind("token")
    }, attempts = attempts + 1, last_attempt_at = ${bind("now")},
      due_at = ${bind("now")} + ${sql.raw(String(LEASE_MARGIN_MS))}
        + (SELECT hook.timeout_seconds * 1000 FROM ${webhooks} AS hook
          WHERE hook.id = ${webhookDeliveries.webhookId})
    WHERE id IN (SELECT d.id FROM (SELECT hook.id FROM ${webhooks} AS hook
        INDEXED BY webhooks_active WHERE hook.active = 1
        AND hook.id NOT IN (SELECT value FROM json_each(${bind("busy")}))
        AND ${hasValidOwner(bind("now"))} ORDER BY random()) AS chosen
      CROSS JOIN ${webhookDeliveries} AS d ON d.id IN (
        SELECT x.id FROM ${webhookDeliveries} AS x
        WHERE x.webhook_id = chosen.id AND x.due_at <= ${bind("now")}
        ORDER BY x.due_at LIMIT ${sql.raw(String(MAX_PER_LEASE))})
      LIMIT ${bind("limit")})`,
  ),
  leased: orm.select({
    id: webhookDeliveries.id,
    messageId: webhookDeliveries.messageId,
    type: webhookDeliveries.type,
    data: webhookDeliveries.data,
    timestamp: webhookDeliveries.timestamp,
    attempts: webhookDeliveries.attempts,
    webhookId: webhookDeliveries.webhookId,
    webhookName: webhooks.name,
    url: webhooks.url,
    headers: webhooks.headers,
    secret: webhooks.secret,
    previousSecret: webhooks.previousSecret,
    previousSecretUntil: webhooks.previousSecretUntil,
    timeoutSeconds: webhooks.timeoutSeconds,
    maxAttempts: webhooks.maxAttempts,
    includeConnectUrl: webhooks.includeConnectUrl,
    traceparent: sessions.traceparent,
  }).from(webhookDeliveries).innerJoin(
    webhooks,
    sql`${webhooks.id} = ${webhookDeliveries.webhookId}`,
  ).leftJoin(
    sessions,
    // The subject of a session's event is the session.
    sql`${sessions.id} = ${webhookDeliveries.subject}`,
  ).where(sql`${webhookDeliveries.leaseToken} = ${bind("token")}`),
}));
