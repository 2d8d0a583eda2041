import type { SessionWire } from "../../../client/client.ts";

const LIVE: readonly SessionWire["status"][] = [
  "pending",
  "starting",
  "running",
];

/** Returns true until the session has ended. */
export function isLive({ status }: Pick<SessionWire, "status">): boolean {
  return LIVE.includes(status);
}
