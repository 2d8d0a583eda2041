import type { Bus } from "../../core/bus.ts";
import { LINK_REVOKED } from "../live/manager.ts";
import type { Handover } from "./handover.ts";

/** Event of the bus of this process when a request was made here; its subject is the session. */
export const HANDOVER_REQUESTED = "handover_requested";

/** Event of the bus when a request has ended; its subject is the session. */
export const HANDOVER_RESOLVED = "handover_resolved";

/** Event of the bus of this process when the side that controls a session was changed here; its subject is the session. */
export const CONTROL_CHANGED = "control_changed";

/** Event of the bus of this process when the condition of a request waits for a server that checks it. */
export const HANDOVER_UNCHECKED = "handover_unchecked";

/** Publishes that a request has ended, with its link. */
export function publishEnd(
  bus: Bus,
  { sessionId, linkId }: Pick<Handover, "sessionId" | "linkId">,
): void {
  if (linkId !== null) bus.publish({ type: LINK_REVOKED, subject: linkId });
  bus.publish({ type: HANDOVER_RESOLVED, subject: sessionId });
  bus.publish({ type: CONTROL_CHANGED, subject: sessionId });
}
