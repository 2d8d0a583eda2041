import { and, desc, eq, getTableColumns, lt, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { webhookDeliveries, webhooks } from "../models.ts";
import type { DeliveryStatus } from "../status.ts";
import type { Delivery, Webhook } from "../webhook.ts";
import { isOne, type WebhookRef } from "./webhooks.ts";

/** Type of the deliveries of `POST /v1/webhooks/{webhook_id}/test`, which have one attempt. */
export const TEST_TYPE = "webhook.test";

/** Maximum number of deliveries that a page of one status reads. */
const MAX_READ = 2_000;

const { data: _, subject: __, ...publicColumns } = getTableColumns(
  webhookDeliveries,
);

/** A webhook with some of its deliveries. */
export interface FoundDeliveries {
  /** Undefined if there is none. */
  readonly webhook: Pick<Webhook, "active" | "inactiveReason"> | undefined;
  readonly deliveries: readonly Delivery[];
}

/** Selects a page of deliveries. */
export interface DeliveryPageQuery {
  readonly limit: number;
  /** Id of the last delivery that was read before. */
  readonly cursor?: number | undefined;
  readonly status?: DeliveryStatus | undefined;
}

/** A page of the deliveries of a webhook. */
export interface FoundPage extends FoundDeliveries {
  /** Id after which the next page begins; undefined on the last page. */
  readonly nextCursor: number | undefined;
}

/** Queries of deliveries for requests. Each method is one round trip. */
export class DeliveryStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /**
   * Lists deliveries of a webhook, newest first. Those of one status are searched in a limited number of deliveries: a
   * page may have fewer than its limit, or none, and still a next one.
   */
  async list(
    ref: WebhookRef,
    { limit, cursor, status }: DeliveryPageQuery,
  ): Promise<FoundPage> {
    const inOrder = (maximum: number) =>
      this.#orm.select(publicColumns).from(webhookDeliveries).where(and(
        eq(webhookDeliveries.webhookId, ref.id),
        cursor === undefined ? undefined : lt(webhookDeliveries.id, cursor),
      )).orderBy(desc(webhookDeliveries.id)).limit(maximum);
    const page = inOrder(MAX_READ).as("page");
    const { found, deliveries, ends } = await batchNamed(this.#orm, {
      found: this.#selectWebhook(ref),
      deliveries: status === undefined
        ? inOrder(limit)
        : this.#orm.select().from(page).where(eq(page.status, status))
          .limit(limit),
      ends: status === undefined ? [] : [inOrder(1).offset(MAX_READ - 1)],
    });
    const last = deliveries.length < limit
      ? ends.flat().at(0)
      : deliveries.at(-1);
    return { webhook: found.at(0), deliveries, nextCursor: last?.id };
  }

  async find(ref: WebhookRef, id: number): Promise<FoundDeliveries> {
    const { found, deliveries } = await batchNamed(this.#orm, {
      found: this.#selectWebhook(ref),
      deliveries: this.#selectDelivery(ref, id),
    });
    return { webhook: found.at(0), deliveries };
  }

  /**
   * Makes a delivery due: one that has ended is repeated with all its attempts, after those of its subject that have not
   * ended. An attempt that runs is not disturbed.
   */
  async retry(
    ref: WebhookRef,
    id: number,
    now: number,
  ): Promise<FoundDeliveries> {
    const isOfWebhook = sql`${webhookDeliveries.id} = ${id}
      AND ${webhookDeliveries.webhookId} IN (SELECT ${webhooks.id}
        FROM ${webhooks} WHERE ${isOne(ref)})`;
    const hasOther = sql`EXISTS (SELECT 1 FROM ${webhookDeliveries} AS o
      WHERE o.webhook_id = ${webhookDeliveries.webhookId}
      AND o.subject = ${webhookDeliveries.subject} AND o.ended_at IS NULL)`;
    const { found, deliveries } = await batchNamed(this.#orm, {
      found: this.#selectWebhook(ref),
      hurried: this.#orm.update(webhookDeliveries).set({ dueAt: now }).where(
        sql`${isOfWebhook} AND ${webhookDeliveries.leaseToken} IS NULL
          AND ${webhookDeliveries.dueAt} > ${now}`,
      ),
      repeated: this.#orm.update(webhookDeliveries).set({
        status: "pending",
        endedAt: null,
        attempts: 0,
        dueAt: sql`CASE WHEN ${hasOther} THEN NULL ELSE ${now} END`,
      }).where(
        sql`${isOfWebhook} AND ${webhookDeliveries.endedAt} IS NOT NULL`,
      ),
      deliveries: this.#selectDelivery(ref, id),
    });
    return { webhook: found.at(0), deliveries };
  }

  /** Inserts a delivery without an event, if the webhook is active. */
  async insertTest(
    ref: WebhookRef,
    { messageId, now }: { readonly messageId: string; readonly now: number },
  ): Promise<FoundDeliveries> {
    const { found, deliveries } = await batchNamed(this.#orm, {
      found: this.#selectWebhook(ref),
      deliveries: this.#orm.insert(webhookDeliveries).select(
        sql`SELECT NULL, ${webhooks.id}, ${messageId}, NULL, ${TEST_TYPE},
          ${messageId}, '{}', ${now}, 'pending', 0, ${now}, NULL, NULL, NULL,
          NULL, NULL, NULL, NULL
          FROM ${webhooks} WHERE ${isOne(ref)} AND ${webhooks.active} = 1`,
      ).returning(publicColumns),
    });
    return { webhook: found.at(0), deliveries };
  }

  #selectWebhook(ref: WebhookRef) {
    return this.#orm.select({
      active: webhooks.active,
      inactiveReason: webhooks.inactiveReason,
    }).from(webhooks).where(isOne(ref));
  }

  #selectDelivery(ref: WebhookRef, id: number) {
    return this.#orm.select(publicColumns).from(webhookDeliveries).where(and(
      eq(webhookDeliveries.id, id),
      eq(webhookDeliveries.webhookId, ref.id),
    ));
  }
}
