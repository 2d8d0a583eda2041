/** Statuses of a delivery. A `pending` one is sent when it is due, or after the one before it. */
export const DELIVERY_STATUSES = ["pending", "delivered", "failed"] as const;

/** Status of a delivery. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Reasons why a webhook is not active: `requested`, `gone` - the receiver responded with 410, `failing` - every attempt
 * of five days failed, `key` - the key that created it was revoked.
 */
export const INACTIVE_REASONS = [
  "requested",
  "gone",
  "failing",
  "key",
] as const;

/** Reason why a webhook is not active. */
export type InactiveReason = (typeof INACTIVE_REASONS)[number];
