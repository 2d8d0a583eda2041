import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed, type Unrun } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { insertEvents } from "../../events/models.ts";
import type { WebhookEventType } from "../event_types.ts";
import { webhookDeliveries, webhooks } from "../models.ts";
import type { DeliveryStatus } from "../status.ts";
import { type Due, selectDue, toDue } from "./lease.ts";

/** Time for which every attempt must fail before a webhook is paused. */
export const PAUSE_AFTER_MS = 5 * 24 * 3_600_000;

/** The result of an attempt as it is stored. */
export interface Outcome {
  readonly id: number;
  readonly webhookId: string;
  readonly token: string;
  readonly now: number;
  readonly status: DeliveryStatus;
  /** Time of the next attempt; null if the delivery has ended. */
  readonly dueAt: number | null;
  readonly statusCode: number | null;
  readonly durationMs: number;
  readonly error: string | null;
  readonly response: string | null;
  /** True if the receiver wants no more requests. */
  readonly isGone: boolean;
  /** False for a test, which says nothing about the webhook's deliveries. */
  readonly isCounted: boolean;
}

/**
 * Stores the results of attempts, except of those whose lease was lost, and what they mean for the webhooks. The next
 * delivery of each subject becomes due by a trigger. Returns what is due then. One round trip.
 */
export async function storeOutcomes(
  db: Database,
  outcomes: readonly Outcome[],
): Promise<Due> {
  const counted = outcomes.filter(({ isCounted }) => isCounted);
  const delivered = counted.filter(({ status }) => status === "delivered");
  const { due } = await batchNamed(db.orm, {
    ...storeSuccesses(db, {
      webhookIds: JSON.stringify(delivered.map((each) => each.webhookId)),
    }),
    failures: counted.filter(({ status }) => status !== "delivered")
      .flatMap((each) => storeFailure(db, each)),
    ...storeDeliveries(db, { outcomes: JSON.stringify(outcomes) }),
    ...selectDue(db, {}),
  });
  return toDue(due);
}

function storeFailure(db: Database, outcome: Outcome) {
  const { webhookId, now, isGone } = outcome;
  const failingUntil = now - PAUSE_AFTER_MS;
  return Object.values<Unrun>(
    isGone
      ? storeGone(db, { webhookId, now })
      : storeFailed(db, { webhookId, now, failingUntil }),
  );
}

type Values = Pick<Outcome, "webhookId" | "now">;

const storeDeliveries = prepare((
  { orm },
  bind: Bind<{ readonly outcomes: string }>,
) => ({
  // Each delivery is found by its id, instead of by a scan of the leases.
  deliveries: orm.run(sql`UPDATE ${webhookDeliveries} NOT INDEXED SET
      status = o.value ->> 'status', due_at = o.value ->> 'dueAt',
      lease_token = NULL, status_code = o.value ->> 'statusCode',
      duration_ms = o.value ->> 'durationMs', error = o.value ->> 'error',
      response = o.value ->> 'response',
      ended_at = CASE o.value ->> 'status'
        WHEN 'pending' THEN NULL ELSE o.value ->> 'now' END
    FROM json_each(${bind("outcomes")}) AS o
    WHERE ${webhookDeliveries}.id = o.value ->> 'id'
      AND ${webhookDeliveries}.lease_token = o.value ->> 'token'`),
}));

const storeSuccesses = prepare((
  { orm },
  bind: Bind<{ readonly webhookIds: string }>,
) => ({
  recovered: orm.run(sql`UPDATE ${webhooks}
    SET failing_since = NULL, failures = 0
    WHERE id IN (SELECT value FROM json_each(${bind("webhookIds")}))
      AND failing_since IS NOT NULL`),
}));

const storeGone = prepare((db: Database, bind: Bind<Values>) => ({
  event: insertWebhookEvent(db, {
    type: "webhook.disabled",
    reason: "the receiver responded with 410",
    condition: sql`id = ${bind("webhookId")} AND active = 1`,
    now: bind("now"),
  }),
  disabled: db.orm.run(sql`UPDATE ${webhooks} SET active = 0,
      inactive_reason = 'gone', updated_at = ${bind("now")}
    WHERE id = ${bind("webhookId")} AND active = 1`),
}));

const storeFailed = prepare((
  db: Database,
  bind: Bind<Values & { readonly failingUntil: number }>,
) => {
  const isPaused = sql`id = ${bind("webhookId")} AND active = 1
    AND failing_since <= ${bind("failingUntil")}`;
  return {
    event: insertWebhookEvent(db, {
      type: "webhook.paused",
      reason: "every attempt of five days failed",
      condition: isPaused,
      now: bind("now"),
    }),
    paused: db.orm.run(sql`UPDATE ${webhooks} SET active = 0,
        inactive_reason = 'failing', updated_at = ${bind("now")}
      WHERE ${isPaused}`),
    counted: db.orm.run(sql`UPDATE ${webhooks} SET failures = failures + 1,
        failing_since = coalesce(failing_since, ${bind("now")})
      WHERE id = ${bind("webhookId")}`),
  };
});

/** An event of the webhook that meets a condition. */
interface WebhookEvent {
  readonly type: WebhookEventType;
  readonly reason: string;
  readonly condition: SQL;
  readonly now: SQL;
}

function insertWebhookEvent(
  { orm }: Database,
  { type, reason, condition, now }: WebhookEvent,
) {
  return insertEvents(orm, {
    type,
    owner: sql`owner`,
    data: sql`json_object('webhook_id', id, 'name', name, 'reason', ${reason})`,
    timestamp: now,
    source: sql`${webhooks} WHERE ${condition}`,
  });
}
