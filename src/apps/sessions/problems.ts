import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the sessions app. */
export const sessionProblems = defineProblems({
  session_not_found: {
    status: 404,
    title: "Session not found",
    example:
      'Cannot find session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": there is none with this id, expected one of GET /v1/sessions',
  },
  session_not_running: {
    status: 409,
    title: "Session is not running",
    example:
      'Cannot connect to session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": it is pending, expected running',
  },
  session_ended: {
    status: 410,
    title: "Session has ended",
    example:
      'Cannot connect to session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": it is completed (ended by its owner), expected running',
  },
  session_failed: {
    status: 502,
    title: "Session failed to start",
    mayHaveRetryAfter: true,
    example:
      'Cannot start a browser: session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d" is failed: the image is missing',
  },
  lease_lost: {
    status: 409,
    title: "Lease lost",
    example:
      'Cannot record for session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": the fencing token is stale, or it has ended; expected the token of its last claim',
  },
  too_many_log_streams: {
    status: 429,
    title: "Too many log streams",
    retryAfterSeconds: 10,
    example:
      "Cannot follow the output of another session: the key has 10, expected fewer; end one",
  },
  idempotency_key_reused: {
    status: 422,
    title: "Idempotency key reused",
    example:
      'Cannot use Idempotency-Key "8e03978e": it was used with another body within 24 hours, expected the same body or a new key',
  },
});
