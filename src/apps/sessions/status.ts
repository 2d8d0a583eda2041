/**
 * The state machine of a session. SQL guards, tests and the diagram derive from {@linkcode TRANSITIONS}.
 *
 * ```text
 * pending --claim--> starting --report--> running --> completed | expired | crashed | timed_out | terminated
 *    ^                  | lease lost
 *    +------requeue-----+      pending, starting --> failed | expired | terminated | completed
 * ```
 *
 * @module
 */
import type { SessionEventName } from "./event_types.ts";

export const SESSION_STATUSES = [
  "pending",
  "starting",
  "running",
  "completed",
  "failed",
  "expired",
  "crashed",
  "timed_out",
  "terminated",
] as const;

/** The side that controls a browser: its client, a person, or both. */
export const CONTROLS = ["client", "human", "shared"] as const;

export type Control = (typeof CONTROLS)[number];

export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** Allowed next statuses. A status without any is terminal. */
export const TRANSITIONS: Readonly<
  Record<SessionStatus, readonly SessionStatus[]>
> = {
  pending: ["starting", "failed", "expired", "terminated", "completed"],
  starting: [
    "pending",
    "running",
    "failed",
    "crashed",
    "expired",
    "terminated",
    "completed",
  ],
  running: ["completed", "expired", "crashed", "timed_out", "terminated"],
  completed: [],
  failed: [],
  expired: [],
  crashed: [],
  timed_out: [],
  terminated: [],
};

/** Returns true if a session in `status` has ended. */
export function isTerminal(status: SessionStatus): boolean {
  return TRANSITIONS[status].length === 0;
}

/** Statuses of sessions that a worker holds. */
export const HELD_STATUSES = [
  "starting",
  "running",
] as const satisfies readonly SessionStatus[];

/** The event of the change to each status. */
export const STATUS_EVENTS: Readonly<
  Record<SessionStatus, SessionEventName>
> = {
  pending: "session_requeued",
  starting: "session_starting",
  running: "browser_started",
  completed: "session_completed",
  failed: "session_failed",
  expired: "session_expired",
  crashed: "session_crashed",
  timed_out: "session_timed_out",
  terminated: "session_terminated",
};
