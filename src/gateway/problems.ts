import { defineProblems, GridError } from "../core/errors.ts";

/** Problem codes of the gateway and the tunnels. */
export const gatewayProblems = defineProblems({
  worker_unreachable: {
    status: 503,
    title: "Browser cannot be reached",
    retryAfterSeconds: 2,
    example:
      "Cannot reach the browser: it does not respond, expected a running browser; try again",
  },
  too_many_connections: {
    status: 429,
    title: "Session has all its clients",
    retryAfterSeconds: 2,
    example:
      'Cannot connect to session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": it has its one client already, expected at most max_connections; ask for a session with more to share it, or take an old connection over with takeover=true',
  },
  protocol_not_supported: {
    status: 400,
    title: "Protocol not supported",
    example:
      "Cannot connect: connect() speaks Playwright's own protocol, and the browser speaks CDP, expected chromium.connectOverCDP() with the same address",
  },
  target_not_found: {
    status: 404,
    title: "Page not found",
    example:
      "Cannot find the page: No such target id: 8C1D, expected an open page: see /cdp/json/list of the session",
  },
  browser_refused: {
    status: 409,
    title: "Browser rejected the request",
    example:
      'Cannot capture the page: the browser says "PrintToPDF is not implemented" to Page.printToPDF, expected a command that it supports',
  },
  browser_timeout: {
    status: 504,
    title: "Browser did not respond in time",
    example:
      "Cannot capture the page: the browser does not respond within 25 s, expected a page in front, without an open dialog, whose scripts end",
  },
});

/** Returns the problem for a client that comes while the server stops. */
export function shuttingDown(): GridError {
  return new GridError(
    "shutting_down",
    "Cannot connect: the server is stopping, expected a running server; try again",
  );
}
