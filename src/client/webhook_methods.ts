import type { SchemaInput } from "../core/schema.ts";
import type {
  DeliveryWire,
  NewWebhookWire,
  WebhookBody,
  WebhookSchemas,
  WebhookWire,
} from "../apps/webhooks/schemas.ts";
import type { Page, PageQuery } from "./pages.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Changes of a webhook. */
export type WebhookPatchBody = SchemaInput<
  WebhookSchemas["webhookPatchSchema"]
>;

/** Body of a rotation of a webhook's secret. */
export type WebhookRotation = SchemaInput<WebhookSchemas["rotationSchema"]>;

/** Selects deliveries to list. */
export interface DeliveryQuery extends PageQuery {
  /** Status of the deliveries. */
  readonly status?: DeliveryWire["status"] | undefined;
}

/** Endpoints of webhooks. A client key uses its own webhooks. */
export interface WebhookMethods {
  /** Creates a webhook. Only this response contains its secret. */
  createWebhook(
    body: WebhookBody,
    options?: CallOptions,
  ): Promise<NewWebhookWire>;
  /** Lists webhooks, newest first. */
  listWebhooks(
    query?: PageQuery,
    options?: CallOptions,
  ): Promise<Page<WebhookWire>>;
  /** Returns a webhook. */
  getWebhook(id: string, options?: CallOptions): Promise<WebhookWire>;
  /** Changes fields of a webhook. */
  patchWebhook(
    id: string,
    changes: WebhookPatchBody,
    options?: CallOptions,
  ): Promise<WebhookWire>;
  /** Deletes a webhook and its deliveries. */
  deleteWebhook(id: string, options?: CallOptions): Promise<void>;
  /** Sends a test to an active webhook. `getWebhookDelivery` returns its result. */
  testWebhook(id: string, options?: CallOptions): Promise<DeliveryWire>;
  /** Replaces the secret of a webhook. Only this response contains the new one. */
  rotateWebhookSecret(
    id: string,
    body?: WebhookRotation,
    options?: CallOptions,
  ): Promise<NewWebhookWire>;
  /** Lists the deliveries of a webhook, newest first. */
  listWebhookDeliveries(
    id: string,
    query?: DeliveryQuery,
    options?: CallOptions,
  ): Promise<Page<DeliveryWire>>;
  /** Returns a delivery with its last attempt. */
  getWebhookDelivery(
    id: string,
    deliveryId: number,
    options?: CallOptions,
  ): Promise<DeliveryWire>;
  /** Lets a delivery be sent now; one that has ended is sent again. */
  retryWebhookDelivery(
    id: string,
    deliveryId: number,
    options?: CallOptions,
  ): Promise<DeliveryWire>;
}

const WEBHOOKS = "/v1/webhooks";

/** Creates the methods over `transport`. */
export function createWebhookMethods(transport: Transport): WebhookMethods {
  const buildPath = (id: string) => `${WEBHOOKS}/${encodeURIComponent(id)}`;
  const buildDeliveryPath = (id: string, deliveryId: number) =>
    `${buildPath(id)}/deliveries/${deliveryId}`;
  return {
    createWebhook: (body, options) =>
      transport.json("POST", WEBHOOKS, { ...options, body }),
    listWebhooks: (query, options) =>
      transport.json("GET", WEBHOOKS, { ...options, query: { ...query } }),
    getWebhook: (id, options) => transport.json("GET", buildPath(id), options),
    patchWebhook: (id, body, options) =>
      transport.json("PATCH", buildPath(id), { ...options, body }),
    async deleteWebhook(id, options) {
      await transport.text("DELETE", buildPath(id), options);
    },
    testWebhook: (id, options) =>
      transport.json("POST", `${buildPath(id)}/test`, options),
    rotateWebhookSecret: (id, body = {}, options) =>
      transport.json("POST", `${buildPath(id)}/rotate-secret`, {
        ...options,
        body,
      }),
    listWebhookDeliveries: (id, query, options) =>
      transport.json("GET", `${buildPath(id)}/deliveries`, {
        ...options,
        query: { ...query },
      }),
    getWebhookDelivery: (id, deliveryId, options) =>
      transport.json("GET", buildDeliveryPath(id, deliveryId), options),
    retryWebhookDelivery: (id, deliveryId, options) =>
      transport.json("POST", `${buildDeliveryPath(id, deliveryId)}/retry`, {
        ...options,
      }),
  };
}
