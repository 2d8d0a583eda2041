import type { SessionManager } from "../apps/sessions/manager.ts";
import { isTerminal, type SessionStatus } from "../apps/sessions/status.ts";
import { aborted } from "../core/aborted.ts";
import { deadline, systemClock } from "../core/clock.ts";
import { CLOSE_CODES, CLOSE_REASONS, type CloseReason } from "./close_frame.ts";
import { isOwnBrowser } from "./own_browser.ts";
import type { Way } from "./way.ts";

/** Longest wait for a browser that may be gone, and for its session's state. */
const WAIT_MS = 2_000;

/** The browser's side of a connection that has ended. */
export interface EndedConnection {
  readonly manager: Pick<SessionManager, "target">;
  readonly way: Way;
  readonly id: string;
  /** Of a page, if it was no connection to the whole browser. */
  readonly path?: string | undefined;
}

/**
 * Finds out why a browser has closed a connection: by its session's state and, while that is running, by asking the
 * browser on another connection. One round trip.
 */
export async function explainEnd(
  { manager, way, id, path }: EndedConnection,
  signal: AbortSignal,
): Promise<CloseReason> {
  const responds = await isOwnBrowser(way, { timeoutMs: WAIT_MS, signal });
  using patience = deadline(systemClock, WAIT_MS, signal);
  const status = await statusOf(manager, id, patience.signal);
  if (status !== undefined && isTerminal(status)) return reasonOf(status);
  if (!responds) return CLOSE_REASONS.browserGone;
  return {
    code: CLOSE_CODES.closedByBrowser,
    reason: path === undefined
      ? "closed by the browser, which runs: it takes no binary frame and no message over 100 MB"
      : "closed by the browser, which runs: the page is gone, or sent a binary frame or over 100 MB",
  };
}

/** Returns what clients of a session that has ended are told. */
export function reasonOf(status: SessionStatus): CloseReason {
  return status === "crashed"
    ? CLOSE_REASONS.browserGone
    : CLOSE_REASONS.sessionEnded;
}

async function statusOf(
  manager: Pick<SessionManager, "target">,
  id: string,
  signal: AbortSignal,
): Promise<SessionStatus | undefined> {
  const read = manager.target(id).then(({ status }) => status)
    .catch(() => undefined);
  return await Promise.race([read, aborted(signal)]);
}
