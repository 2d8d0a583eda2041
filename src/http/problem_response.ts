import { type GridError, type ProblemStatus } from "../core/errors.ts";
import { redactKeys } from "../core/redact.ts";
import { truncate } from "../core/text.ts";

/** Maximum lengths of the detail and of text in an extension member; both may contain client input. */
const MAX_DETAIL = 10_000;

const MAX_MEMBER = 2_000;

/** Body of a problem response. `request_id` identifies the log line. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: ProblemStatus;
  readonly detail: string;
  readonly code: string;
  readonly request_id?: string;
  readonly [extension: string]: unknown;
}

/** Returns the response body for `error`. */
export function toProblem(error: GridError, requestId?: string): Problem {
  return {
    type: `urn:browsergrid:problem:${error.code}`,
    title: error.kind.title,
    status: error.kind.status,
    detail: truncate(redactKeys(error.message), MAX_DETAIL),
    code: error.code,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...mapValues(error.extensions, truncateMember),
  };
}

/** Returns a member's value with each text in it truncated. */
function truncateMember(value: unknown): unknown {
  if (typeof value === "string") return truncate(value, MAX_MEMBER);
  if (Array.isArray(value)) return value.map(truncateMember);
  if (typeof value !== "object" || value === null) return value;
  return mapValues(value, truncateMember);
}

function mapValues(
  object: object,
  map: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, map(value)]),
  );
}

/** Returns the response headers for `error`. */
export function problemHeaders(error: GridError): Record<string, string> {
  const seconds = error.retryAfterSeconds ?? error.kind.retryAfterSeconds;
  return {
    "content-type": "application/problem+json",
    ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
    ...error.kind.headers,
  };
}

/** Creates the response for `error`. */
export function problemResponse(
  error: GridError,
  requestId?: string,
): Response {
  return new Response(
    redactKeys(JSON.stringify(toProblem(error, requestId))),
    {
      status: error.status,
      headers: problemHeaders(error),
    },
  );
}
