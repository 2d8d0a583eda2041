import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the webhooks app. */
export const webhookProblems = defineProblems({
  webhook_not_found: { status: 404, title: "Webhook not found" },
  webhook_limit: {
    status: 409,
    title: "Too many webhooks",
    example:
      "Cannot create the webhook: there are 20 of this key, expected fewer; delete one first",
  },
  webhook_inactive: {
    status: 409,
    title: "Webhook is not active",
    example:
      "Cannot test the webhook: it is not active (failing), expected an active one; PATCH it with active true",
  },
  webhook_target_rejected: {
    status: 422,
    title: "Webhooks may not be sent there",
    example:
      "Cannot send webhooks to the URL: its address is not public, expected a public one, or one of the setting webhook_allowed_networks",
  },
  delivery_not_found: { status: 404, title: "Delivery not found" },
  webhook_events_rejected: {
    status: 422,
    title: "Webhook cannot select these events",
    example:
      'Cannot select the events of the webhook: "cdp:Fetch.requestPaused" cannot be observed, because it pauses the requests of pages, expected events of other domains such as "cdp:Network.responseReceived"',
  },
});
