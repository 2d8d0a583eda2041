import type { SessionManager } from "../apps/sessions/manager.ts";
import { isTerminal } from "../apps/sessions/status.ts";
import { GridError } from "../core/errors.ts";

/** Longest wait for a session that is about to start. */
const WAIT_MS = 120_000;

/**
 * The address of a session's browser. One round trip when it runs; one that waits or starts is awaited, so that a client
 * may connect as soon as it has the URL.
 *
 * @throws {GridError} `session_not_found`, `session_failed`, `session_ended`, `session_not_running` — not in time.
 */
export async function endpointOf(
  sessions: SessionManager,
  id: string,
  signal: AbortSignal,
): Promise<URL> {
  let target = await sessions.target(id);
  if (target.status === "pending" || target.status === "starting") {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
    await sessions.waitUntilStarted(id, patience);
    target = await sessions.target(id);
  }
  const { status, statusReason, endpoint } = target;
  if (status === "running" && endpoint !== null) return new URL(endpoint);
  const what = `Cannot connect to session "${id}": it is ${status}${
    statusReason ? ` (${statusReason})` : ""
  }, expected running`;
  const extensions = { session_id: id, status_of_session: status };
  if (status === "failed") {
    throw new GridError("session_failed", what, extensions);
  }
  if (isTerminal(status)) {
    throw new GridError("session_ended", what, extensions);
  }
  throw new GridError("session_not_running", what, extensions);
}
