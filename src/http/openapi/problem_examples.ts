import {
  type AnyProblem,
  codeOf,
  GridError,
  type Problem,
  toProblem,
} from "../../core/errors.ts";

const ID = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** What an answer with a code may say, for the description of the API. */
const DETAILS: Readonly<Record<string, string>> = {
  invalid_request:
    "Cannot use the body: screen.width: Too big: expected number to be <=16384",
  idempotency_key_reused:
    'Cannot use Idempotency-Key "8e03978e": another body came with it within 24 hours, expected that same body, or a new key',
  malformed_json: "Cannot read the body: it is not JSON",
  unsupported_media_type:
    'Cannot read the body: its Content-Type is "text/plain", expected application/json',
  body_too_large:
    "Cannot read the body: it is too large, expected at most 2097152 bytes",
  unauthorized:
    "Cannot let the request in: the key is missing, expected it in X-API-Key or Authorization: Bearer",
  uri_too_long:
    "Cannot read the request: its path has 58003 characters, expected at most 2048",
  host_not_allowed:
    'Cannot serve host "elsewhere.example": it is not a known name of this server, expected localhost, the host of public_url, or one of the setting allowed_hosts',
  origin_not_allowed:
    'Cannot serve origin "https://elsewhere.example": it is not allowed, expected one of the setting allowed_origins',
  protocol_not_supported:
    "Cannot connect: connect() speaks Playwright's own protocol, and the browser speaks CDP, expected chromium.connectOverCDP() with the same address",
  session_not_found:
    `Cannot find session "${ID}": there is none with this id, expected one of GET /v1/sessions`,
  session_not_running:
    `Cannot connect to session "${ID}": it is pending, expected running`,
  session_ended:
    `Cannot connect to session "${ID}": it is completed (ended by its owner), expected running`,
  session_failed:
    `Cannot give a browser: session "${ID}" is failed: the image is missing`,
  too_many_connections:
    `Cannot connect to session "${ID}": it has its one client already, expected at most max_connections; ask for a session with more to share it, or take an old connection over with takeover=true`,
  lease_lost:
    `Cannot record for session "${ID}": the fencing token is stale, or it has ended; expected the token of its last claim`,
  worker_not_found:
    `Cannot find worker "${ID}": there is none with this id, expected one of GET /v1/workerpool/workers`,
  worker_unreachable:
    "Cannot ask the browser: it does not answer as one, expected a browser that runs; try again",
  pool_not_found:
    'Cannot find work pool "crawlers": there is none with this id or name, expected one of GET /v1/workerpool/pools',
  target_not_found:
    "Cannot find the page: No such target id: 8C1D, expected one that is open: see /cdp/json/list of the session",
  browser_refused:
    'Cannot use the page: the browser says "PrintToPDF is not implemented", expected what it can do',
  browser_timeout:
    "Cannot look at the page: the browser does not answer within 25 s, expected a page in front, without an open dialog, whose scripts end",
  read_only_member:
    'Cannot use the body: updated_at is "2026-07-01T12:00:00.000Z" and cannot be set; expected the value that GET returns, or none',
  unknown_provider:
    'Cannot find provider "podman": known are "local", "docker"',
  invalid_provider_config:
    'Cannot use the configuration of provider "docker": provider_config.image: expected a string',
  argument_not_allowed:
    'Cannot give the browser its arguments: in work pool "crawlers" not allowed: --disable-web-security, expected some of --lang, --user-agent',
  internal: "Something went wrong here; the log has it under this request_id",
};

/** How a refusal with `code` may look. */
export function exampleOf(problem: AnyProblem): Problem {
  const { title } = toProblem(new GridError(problem, ""));
  return toProblem(
    new GridError(problem, DETAILS[codeOf(problem)] ?? title),
    ID,
  );
}
