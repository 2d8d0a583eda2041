import {
  renderStatusReason,
  type SessionManager,
  type SessionTarget,
} from "../apps/sessions/manager.ts";
import { isTerminal } from "../apps/sessions/status.ts";
import { ownerLimit } from "../http/auth/access.ts";
import type { Core } from "../core/app.ts";
import type { Caller } from "../core/caller.ts";
import { deadline } from "../async/deadline.ts";
import { GridError } from "../core/errors.ts";
import { sessionProblems } from "../apps/sessions/problems.ts";

/** How long after its deadline a session is still awaited: it is the reconciler that ends it, and says why. */
const RECONCILER_GRACE_MS = 5_000;

/** After how long a client should try again for which there was no worker. */
const RETRY_AFTER_SECONDS = 5;

/** A session that runs, and where its browser listens. */
export interface RunningTarget extends SessionTarget {
  /** The browser's own WebSocket address, as its worker reaches it. */
  readonly url: URL;
}

/**
 * What is needed to reach a session's browser. One round trip when it runs; one that waits or starts is awaited, so that
 * a client may connect as soon as it has the URL, as long as its own deadlines allow.
 *
 * @throws {GridError} `session_not_found`, `session_failed`, `session_ended`, `session_not_running` — not in time.
 */
export async function resolveTarget(
  { core, manager: sessions, caller }: {
    readonly core: Pick<Core, "clock">;
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
  const own = sessions.forOwner(ownerLimit(caller));
  let target = await own.target(id);
  let statusReason = target.statusReason;
  for (;;) {
    const waitMs = computeWaitMs(target, core.clock.now());
    if (waitMs <= 0 || signal.aborted) break;
    using timeout = deadline(core.clock, waitMs, signal);
    const seen = await sessions.waitUntilStarted(id, timeout.signal);
    target = await own.target(id);
    // Only the session as last read contains the reason why it still waits.
    statusReason = target.status === "pending"
      ? renderStatusReason(seen)
      : target.statusReason;
  }
  const { status, endpoint } = target;
  if (status === "running" && endpoint !== null) {
    return { ...target, url: new URL(endpoint) };
  }
  const what = `Cannot connect to session "${id}": it is ${status}${
    statusReason ? ` (${statusReason})` : ""
  }, expected running`;
  const extensions = { session_id: id, status_of_session: status };
  if (status === "failed") {
    const isPassing = target.workerId === null;
    throw new GridError(
      sessionProblems.session_failed,
      what,
      extensions,
      isPassing ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {},
    );
  }
  if (isTerminal(status)) {
    throw new GridError(sessionProblems.session_ended, what, extensions);
  }
  throw new GridError(sessionProblems.session_not_running, what, extensions);
}

/**
 * Returns the timeout for the browser's response: the time until the session's start deadline, but at least the start
 * timeout.
 */
export function computeBrowserTimeoutMs(
  { clock, settings }: Pick<Core, "clock" | "settings">,
  { startDeadlineAt }: Pick<SessionTarget, "startDeadlineAt">,
): number {
  const leftMs = (startDeadlineAt ?? 0) - clock.now();
  return Math.max(leftMs, settings.start_timeout_seconds * 1_000);
}

/** How long to wait for its next step; 0: it waits for none. */
function computeWaitMs(
  { status, queueDeadlineAt, startDeadlineAt }: SessionTarget,
  now: number,
): number {
  const until = status === "pending"
    ? queueDeadlineAt
    : status === "starting"
    ? startDeadlineAt ?? queueDeadlineAt
    : -Infinity;
  return Math.max(0, until + RECONCILER_GRACE_MS - now);
}
