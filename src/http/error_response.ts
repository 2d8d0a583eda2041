import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { GridError, toGridError } from "../core/errors.ts";
import { problemHeaders, toProblem } from "./problem_response.ts";
import { redactKeys } from "../core/redact.ts";
import { createLogger } from "../core/log.ts";
import type { GridEnv } from "../core/middleware.ts";

const log = createLogger("core", "router");

/** Responds with a problem and keeps the headers that were set before, which a new `Response` would lose. */
export function respondProblem(
  c: Context<GridEnv>,
  error: GridError,
): Response {
  // Headers that describe the body of an abandoned response.
  for (const name of ["content-encoding", "content-length", "etag"]) {
    c.header(name, undefined);
  }
  return c.newResponse(
    redactKeys(JSON.stringify(toProblem(error, c.get("requestId")))),
    { status: error.status, headers: problemHeaders(error) },
  );
}

/** Responds to a thrown error. An unexpected error is logged. */
export function respondError(error: Error, c: Context<GridEnv>): Response {
  const problem = convertError(error);
  if (problem.code === "internal") {
    log.error("Request {request_id} failed: {error}", {
      error,
      request_id: c.get("requestId"),
    });
  }
  return respondProblem(c, problem);
}

function convertError(error: Error): GridError {
  if (!(error instanceof HTTPException)) return toGridError(error);
  if (error.status === 400) {
    return new GridError(
      "malformed_json",
      "Cannot read the body: it is not JSON",
    );
  }
  return toGridError(error);
}
