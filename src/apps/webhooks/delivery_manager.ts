import { uuidv7 } from "uuidv7";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { WEBHOOK_CHANGED } from "./start_when_used.ts";
import { requireId, webhookNotFound } from "./manager.ts";
import { webhookProblems } from "./problems.ts";
import type { DeliveryWire } from "./schemas.ts";
import {
  type DeliveryPageQuery,
  DeliveryStore,
  type FoundDeliveries,
} from "./store/deliveries.ts";
import type { WebhookRef } from "./store/webhooks.ts";
import { renderDelivery } from "./webhook.ts";

/** A page of deliveries. */
export interface DeliveryPage {
  readonly items: DeliveryWire[];
  /** Id after which the next page begins. Absent on the last page. */
  readonly nextCursor?: number;
}

/** Deliveries of webhooks. Each method is one round trip, and throws `webhook_not_found` if there is no such webhook. */
export class DeliveryManager {
  readonly #core: Pick<Core, "clock" | "bus">;
  readonly #store: DeliveryStore;

  constructor(core: Pick<Core, "clock" | "bus" | "db">) {
    this.#core = core;
    this.#store = new DeliveryStore(core.db);
  }

  /** Lists deliveries, newest first. */
  async list(
    ref: WebhookRef,
    query: DeliveryPageQuery,
  ): Promise<DeliveryPage> {
    const found = await this.#store.list(requireId(ref), query);
    requireWebhook(ref, found);
    const items = found.deliveries.map(renderDelivery);
    const { nextCursor } = found;
    return nextCursor === undefined ? { items } : { items, nextCursor };
  }

  /** Returns a delivery. @throws {GridError} `delivery_not_found`. */
  async get(ref: WebhookRef, id: number): Promise<DeliveryWire> {
    return requireDelivery(ref, id, await this.#store.find(requireId(ref), id));
  }

  /**
   * Lets a delivery be sent now. One that has ended gets all its attempts again, with the same message id.
   *
   * @throws {GridError} `delivery_not_found`.
   */
  async retry(ref: WebhookRef, id: number): Promise<DeliveryWire> {
    const now = this.#core.clock.now();
    const found = await this.#store.retry(requireId(ref), id, now);
    const delivery = requireDelivery(ref, id, found);
    this.#publish(ref.id);
    return delivery;
  }

  /** Sends a test to an active webhook, with one attempt. @throws {GridError} `webhook_inactive`. */
  async test(ref: WebhookRef): Promise<DeliveryWire> {
    const found = await this.#store.insertTest(requireId(ref), {
      messageId: `test_${uuidv7()}`,
      now: this.#core.clock.now(),
    });
    const { inactiveReason } = requireWebhook(ref, found);
    const [delivery] = found.deliveries;
    if (!delivery) throw inactive(ref.id, inactiveReason);
    this.#publish(ref.id);
    return renderDelivery(delivery);
  }

  #publish(id: string): void {
    this.#core.bus.publish({ type: WEBHOOK_CHANGED, subject: id });
  }
}

function requireWebhook({ id }: WebhookRef, { webhook }: FoundDeliveries) {
  if (!webhook) throw webhookNotFound(id);
  return webhook;
}

function requireDelivery(
  ref: WebhookRef,
  id: number,
  found: FoundDeliveries,
): DeliveryWire {
  requireWebhook(ref, found);
  const [delivery] = found.deliveries;
  if (delivery) return renderDelivery(delivery);
  throw new GridError(
    webhookProblems.delivery_not_found,
    `Cannot find delivery ${id}: the webhook has none with this id, expected one of GET /v1/webhooks/${ref.id}/deliveries`,
  );
}

function inactive(id: string, reason: string | null): GridError {
  return new GridError(
    webhookProblems.webhook_inactive,
    `Cannot test webhook "${id}": it is not active (${reason}), expected an active one; PATCH it with active true`,
  );
}
