import assert from "node:assert/strict";
import type { SessionEventWire } from "../../src/apps/sessions/schemas/history.ts";
import {
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
  STATUS_EVENTS,
  TRANSITIONS,
} from "../../src/apps/sessions/status.ts";
import type { GridClient } from "../../src/client/client.ts";

/** More events than any session of a test has. */
const ALL_EVENTS = 1_000;

const STATUS_OF_EVENT: ReadonlyMap<string, SessionStatus> = new Map<
  string,
  SessionStatus
>([
  ["session_created", "pending"],
  ...SESSION_STATUSES.map((status) => [STATUS_EVENTS[status], status] as const),
]);

/** The statuses that a session went through, as its events tell. */
export function statusesIn(
  events: readonly Pick<SessionEventWire, "event">[],
): SessionStatus[] {
  return events.flatMap(({ event }) => STATUS_OF_EVENT.get(event) ?? []);
}

/** Names of a session's events, oldest first. */
export async function listEvents(
  client: GridClient,
  id: string,
): Promise<readonly SessionEventWire[]> {
  const { items } = await client.listSessionEvents(id, { limit: ALL_EVENTS });
  return items;
}

/**
 * Asserts for each accepted session: it is found by its id, each change is one event that the table of transitions
 * allows, nothing follows its end, and its status equals the status of its last change.
 */
export async function assertHistories(
  client: GridClient,
  ids: Iterable<string>,
): Promise<void> {
  for (const id of ids) await assertHistory(client, id);
}

async function assertHistory(client: GridClient, id: string): Promise<void> {
  // The session first: it may change until the second request, but its events keep its earlier states.
  const session = await client.getSession(id);
  const statuses = statusesIn(await listEvents(client, id));
  const path = `${id}: ${statuses.join(" → ")}`;
  assert.equal(statuses[0], "pending", path);
  for (const [index, status] of statuses.slice(1).entries()) {
    const before = statuses[index];
    assert.ok(before && TRANSITIONS[before].includes(status), path);
  }
  if (isTerminal(session.status)) {
    assert.equal(statuses.at(-1), session.status, path);
  }
}
