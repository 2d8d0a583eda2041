/** Statuses of requests to a person. All but `open` are final. */
export const HANDOVER_STATUSES = [
  "open",
  "done",
  "declined",
  "timed_out",
  "condition_met",
  "cancelled",
  "session_ended",
] as const;

export type HandoverStatus = (typeof HANDOVER_STATUSES)[number];

/** Result of a request that has ended. */
export type HandoverResult = Exclude<HandoverStatus, "open">;

/** Results that a person may choose. */
export const PERSON_RESULTS = ["done", "declined"] as const;

export type PersonResult = (typeof PERSON_RESULTS)[number];
