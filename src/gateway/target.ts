import type {
  SessionManager,
  SessionTarget,
} from "../apps/sessions/manager.ts";
import { isTerminal } from "../apps/sessions/status.ts";
import { ownerLimit } from "../core/access.ts";
import type { Core } from "../core/app.ts";
import type { Caller } from "../core/auth.ts";
import { deadline } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";

/** A session that runs, and where its browser listens. */
export interface RunningTarget extends SessionTarget {
  /** The browser's own WebSocket address, as its worker reaches it. */
  readonly url: URL;
}

/**
 * What is needed to reach a session's browser. One round trip when it runs; one that waits or starts is awaited, so that
 * a client may connect as soon as it has the URL.
 *
 * @throws {GridError} `session_not_found`, `session_failed`, `session_ended`, `session_not_running` — not in time.
 */
export async function targetOf(
  { core, manager: sessions, caller }: {
    readonly core: Pick<Core, "clock" | "settings">;
    readonly manager: SessionManager;
    readonly caller: Caller;
  },
  id: string,
  signal: AbortSignal,
): Promise<RunningTarget> {
  const { sessionId = id } = caller;
  if (sessionId !== id) {
    throw new GridError(
      "forbidden",
      `Cannot connect to session "${id}": the token is for another one, expected that of its own connect_url`,
    );
  }
  const own = sessions.ownedBy(ownerLimit(caller));
  let target = await own.target(id);
  if (target.status === "pending" || target.status === "starting") {
    // As long as it may wait and start, by its own deadlines.
    const { queue_timeout_seconds, start_timeout_seconds } = core.settings;
    const waitMs = (queue_timeout_seconds + start_timeout_seconds) * 1_000;
    using patience = deadline(core.clock, waitMs, signal);
    await sessions.waitUntilStarted(id, patience.signal);
    target = await own.target(id);
  }
  const { status, statusReason, endpoint } = target;
  if (status === "running" && endpoint !== null) {
    return { ...target, url: new URL(endpoint) };
  }
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
