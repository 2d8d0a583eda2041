import { GridError } from "../../core/errors.ts";
import { sessionProblems } from "../sessions/problems.ts";
import { isTerminal } from "../sessions/status.ts";
import { handoverProblems } from "./problems.ts";
import type { RequestOutcome } from "./store/requests.ts";

/** Returns why a request was not stored; undefined if nothing stands against it. */
export function notAccepted(
  id: string,
  { session, openId }: Omit<RequestOutcome, "stored">,
): GridError | undefined {
  if (!session) return sessionNotFound(id);
  const { status, statusReason, isStopping } = session;
  if (isTerminal(status)) {
    return new GridError(
      sessionProblems.session_ended,
      `Cannot hand over session "${id}": it is ${status}, expected running`,
      { status_of_session: status, status_reason: statusReason },
    );
  }
  if (openId !== undefined) {
    return new GridError(
      handoverProblems.handover_open,
      `Cannot hand over session "${id}": the request "${openId}" is open, expected none; wait for its end or cancel it`,
      { handover_id: openId },
    );
  }
  if (status === "running" && isStopping === 0) return undefined;
  return new GridError(
    sessionProblems.session_not_running,
    `Cannot hand over session "${id}": it is ${status}${
      isStopping === 0 ? "" : " and is being stopped"
    }, expected running`,
    { status_of_session: status },
  );
}

/** Creates the error for a session that does not exist, or belongs to another owner. */
export function sessionNotFound(id: string): GridError {
  return new GridError(
    sessionProblems.session_not_found,
    `Cannot find session "${id}": there is none with this id, expected one of GET /v1/sessions`,
  );
}

/** Creates the error for a session without a request. */
export function handoverNotFound(id: string): GridError {
  return new GridError(
    handoverProblems.handover_not_found,
    `Cannot find a hand-over of session "${id}": none was requested, expected one; request it with POST`,
  );
}

/** Creates the error for a session without an open request. */
export function handoverNotOpen(id: string): GridError {
  return new GridError(
    handoverProblems.handover_not_open,
    `Cannot end the hand-over of session "${id}": no request is open, expected one`,
  );
}
