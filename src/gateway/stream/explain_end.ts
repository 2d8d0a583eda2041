import type { SessionManager } from "../../apps/sessions/manager.ts";
import { isTerminal, type SessionStatus } from "../../apps/sessions/status.ts";
import { aborted } from "../../async/abortable.ts";
import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { CLOSE_CODES, CLOSE_REASONS, type CloseReason } from "./close_frame.ts";
import { verifyBrowser } from "../verify_browser.ts";
import type { Dialer } from "../dialer.ts";

/** Timeout of the requests for the session's state and to a browser that may have ended. */
const WAIT_MS = 2_000;

/** The browser's side of a closed connection. */
export interface EndedConnection {
  readonly manager: Pick<SessionManager, "target">;
  readonly dialer: Dialer;
  readonly id: string;
  /** Path of a page's connection; absent for a connection to the whole browser. */
  readonly path?: string | undefined;
}

/**
 * Returns why a browser closed a connection: from its session's state and, while the session is running, by probing the
 * browser on another connection. One round trip.
 */
export async function explainEnd(
  { manager, dialer, id, path }: EndedConnection,
  signal: AbortSignal,
): Promise<CloseReason> {
  const responds = await verifyBrowser(dialer, { timeoutMs: WAIT_MS, signal });
  using timeout = deadline(systemClock, WAIT_MS, signal);
  const status = await readStatus(manager, id, timeout.signal);
  if (status !== undefined && isTerminal(status)) return toCloseReason(status);
  if (!responds) return CLOSE_REASONS.browserGone;
  return {
    code: CLOSE_CODES.closedByBrowser,
    reason: path === undefined
      ? "closed by the browser, which still runs: it accepts no binary frame and no message over 100 MB"
      : "closed by the browser, which still runs: page gone, binary frame, or message over 100 MB",
  };
}

/** Returns the close reason for clients of an ended session. */
export function toCloseReason(status: SessionStatus): CloseReason {
  return status === "crashed"
    ? CLOSE_REASONS.browserGone
    : CLOSE_REASONS.sessionEnded;
}

async function readStatus(
  manager: Pick<SessionManager, "target">,
  id: string,
  signal: AbortSignal,
): Promise<SessionStatus | undefined> {
  const read = manager.target(id).then(({ status }) => status)
    .catch(() => undefined);
  return await Promise.race([read, aborted(signal)]);
}
