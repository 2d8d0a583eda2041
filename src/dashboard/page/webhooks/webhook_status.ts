import type { WebhookWire } from "../../../client/client.ts";

/** Returns the status of a webhook: why it is not active, or whether its last attempts failed. */
export function findWebhookStatus(
  { active, inactive_reason, failing_since }: Pick<
    WebhookWire,
    "active" | "inactive_reason" | "failing_since"
  >,
): string {
  if (active) return failing_since === null ? "active" : "failing";
  return inactive_reason === null || inactive_reason === "requested"
    ? "paused"
    : "stopped";
}

/** Sentences on why a webhook has stopped. */
export const STOP_REASONS: Readonly<
  Record<NonNullable<WebhookWire["inactive_reason"]>, string>
> = {
  requested: "It is paused: events are not recorded for it.",
  gone:
    "The receiver responded with 410 (gone), so that nothing is sent any more. Correct the URL, then activate it.",
  failing:
    "Every attempt of five days failed, so that nothing is sent any more. Repair the receiver, then activate it.",
  key:
    "The key that created it was revoked. Create the webhook again with another key.",
};
