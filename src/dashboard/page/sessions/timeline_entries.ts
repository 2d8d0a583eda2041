import type { SessionEventWire } from "../../../client/client.ts";

/** Longest time between two events that one entry shows. */
const MAX_APART_MS = 1_000;

/** Events that have one cause: the other follows or precedes it. */
const PAIRS: Readonly<Record<string, string>> = {
  client_connected: "session_active",
  session_active: "client_connected",
  client_disconnected: "session_idle",
  session_idle: "client_disconnected",
};

/** Groups the events of a session: a connection with the activity that it begins or ends, others alone. */
export function groupEvents(
  events: readonly SessionEventWire[],
): readonly (readonly SessionEventWire[])[] {
  const groups: SessionEventWire[][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    const [one] = last ?? [];
    if (last?.length === 1 && one && isPair(one, event)) last.push(event);
    else groups.push([event]);
  }
  return groups;
}

function isPair(one: SessionEventWire, other: SessionEventWire): boolean {
  return PAIRS[one.event] === other.event &&
    Date.parse(other.timestamp) - Date.parse(one.timestamp) <= MAX_APART_MS;
}
