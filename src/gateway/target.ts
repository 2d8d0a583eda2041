import {
  renderStatusReason,
  type SessionManager,
  type SessionTarget,
} from "../apps/sessions/manager.ts";
import { sessionProblems } from "../apps/sessions/problems.ts";
import { isTerminal } from "../apps/sessions/status.ts";
import type { Core } from "../core/app.ts";
import type { Caller } from "../core/caller.ts";
import { GridError } from "../core/errors.ts";
import { findOwnerLimit } from "../http/auth/access.ts";
import type { RunningTarget } from "./dialer.ts";

/** Time after a session's deadline in which the reconciler ends the session and records the reason. */
const RECONCILER_GRACE_MS = 5_000;

/** Retry-After of a session that failed because no worker claimed it. */
const RETRY_AFTER_SECONDS = 5;

/** Dependencies of {@linkcode resolveTarget}. */
export interface TargetContext {
  readonly core: Pick<Core, "clock">;
  readonly manager: SessionManager;
  readonly caller: Caller;
}

/**
 * Returns a session as soon as it runs. One round trip if it runs already, two if it is awaited. A session that is pending or starting is
 * awaited until its deadline, so that a client can connect as soon as it has the URL.
 *
 * @throws {GridError} `session_not_found`, `session_failed`, `session_ended`, `session_not_running` - not in time;
 *   `forbidden` - the caller's token is for another session.
 */
export async function resolveTarget(
  context: TargetContext,
  id: string,
  signal: AbortSignal,
): Promise<RunningTarget> {
  const { sessionId = id } = context.caller;
  if (sessionId !== id) {
    throw new GridError(
      "forbidden",
      `Cannot connect to session "${id}": the token is for another session, expected the token of its connect_url`,
    );
  }
  const { target, statusReason } = await waitForStart(context, id, signal);
  const { status, endpoint } = target;
  if (status === "running" && endpoint !== null) {
    return { ...target, url: new URL(endpoint) };
  }
  throw notRunning(target, statusReason);
}

/** The session when its wait has ended, and the reason for its status. */
async function waitForStart(
  { core, manager, caller }: TargetContext,
  id: string,
  signal: AbortSignal,
) {
  const sessions = manager.forOwner(findOwnerLimit(caller));
  const target = await manager.waitUntilStarted(id, {
    read: () => sessions.target(id),
    waitMs: (target) => computeWaitMs(target, core.clock.now()),
    signal,
  });
  // The reason why a session is pending is not part of its target.
  const statusReason = target.status === "pending"
    ? renderStatusReason(await sessions.get(id))
    : target.statusReason;
  return { target, statusReason };
}

/** Returns the time to wait for the next status of a session that has not started; 0 for other sessions. */
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

function notRunning(
  { id, status, workerId }: SessionTarget,
  statusReason: string | null | undefined,
): GridError {
  const detail = `Cannot connect to session "${id}": it is ${status}${
    statusReason ? ` (${statusReason})` : ""
  }, expected running`;
  const extensions = { session_id: id, status_of_session: status };
  if (status === "failed") {
    const canRetry = workerId === null;
    return new GridError(
      sessionProblems.session_failed,
      detail,
      extensions,
      canRetry ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {},
    );
  }
  return new GridError(
    isTerminal(status)
      ? sessionProblems.session_ended
      : sessionProblems.session_not_running,
    detail,
    extensions,
  );
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
