import type { Duplex } from "node:stream";
import { GridError, toGridError } from "../core/errors.ts";
import { logOf } from "../core/log.ts";
import { answerRaw, refusalOf } from "../http/server/raw_response.ts";
import type { UpgradeContext } from "../core/app.ts";
import { gatewayProblems } from "./problems.ts";

const log = logOf("gateway", "refuse");

/** What a client should ask for. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2 RFC 6455, 4.2.2} */
export const EXPECTED_UPGRADE = {
  upgrade: "websocket",
  "sec-websocket-version": "13",
};

/** Answers a request that asked for an upgrade with the problem that stands for `thrown`, and closes its socket. */
export function rejectUpgrade(
  socket: Duplex,
  thrown: unknown,
  context: UpgradeContext,
): void {
  const error = toGridError(thrown);
  if (error.code === "internal") {
    log.error("Cannot take a socket: {error}", {
      error: thrown,
      request_id: context.requestId,
    });
  }
  const refusal = refusalOf(error, context);
  if (error.code === gatewayProblems.upgrade_required.code) {
    for (const header of Object.entries(EXPECTED_UPGRADE)) {
      refusal.headers.set(...header);
    }
  }
  // The request's own line in the log says only that it was let in.
  log.info("{path} refused with {status} {code}: {detail}", {
    path: context.url.pathname,
    status: error.status,
    code: error.code,
    detail: error.message,
    request_id: context.requestId,
  });
  void answerRaw(socket, refusal);
}

/** The refusal of who comes while the server stops. */
export function shuttingDown(): GridError {
  return new GridError(
    "shutting_down",
    "Cannot connect: the server is stopping, expected one that runs; try again",
  );
}
