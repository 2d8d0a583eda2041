import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { access, allow } from "../http/auth/access.ts";
import { answerProblem } from "../http/error_response.ts";
import { GridError } from "../core/errors.ts";
import type { GridEnv } from "../core/middleware.ts";
import { createRouter, refusals } from "../http/router.ts";
import { targetIdSchema } from "./devtools/target_id.ts";
import { connectQuerySchema } from "./connect_query.ts";
import { SESSION_HEADERS } from "./connect_url.ts";
import { EXPECTED_UPGRADE } from "./reject.ts";
import { gatewayProblems } from "./problems.ts";
import { sessionProblems } from "../apps/sessions/problems.ts";
import { poolProblems } from "../apps/workerpool/problems.ts";

/** What the description says of every WebSocket. The handshake itself never comes to the router. */
const shared = {
  method: "get" as const,
  tags: ["Connect"],
  "x-websocket": true,
  "x-roles": access("client")["x-roles"],
  security: [{ ApiKey: [] }, { Bearer: [] }, { Token: [] }],
};

const switching = {
  101: {
    description:
      "The WebSocket is open: CDP in both directions. It closes with 1001 when the session has ended or the server stops, with 1011 when the browser is gone, with 4001 when another client has taken over the connection, and with 4002 when the browser has closed only this connection and still runs: its page is gone, or it received a binary frame or a message over 100 MB. A client is pinged after 20 s without data in either direction (websocket_ping_seconds)",
    headers: z.object({
      [SESSION_HEADERS.id]: z.string().openapi({
        description: "Id of the session",
        example: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
      }),
      [SESSION_HEADERS.connectUrl]: z.string().openapi({
        description:
          "Where to connect to it again; where keys are needed, with a token",
        example:
          "ws://127.0.0.1:8765/v1/sessions/01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d/cdp",
      }),
    }),
  },
};

const { token } = connectQuerySchema.shape;

const params = z.object({ id: z.string().describe("Id of a session") });

const sessionSocketProblems = refusals(
  gatewayProblems.upgrade_required,
  gatewayProblems.protocol_not_supported,
  "origin_not_allowed",
  sessionProblems.session_not_found,
  sessionProblems.session_not_running,
  sessionProblems.session_ended,
  sessionProblems.session_failed,
  gatewayProblems.too_many_connections,
  "invalid_request",
  gatewayProblems.worker_unreachable,
);

const query = z.object({
  takeover: z.enum(["true", "false"]).optional().describe(
    "If all of the session's connections are there, close the oldest: it may be an own one that died unnoticed",
  ),
  token,
});

const CONNECTION_LIMIT =
  "Waits for a session that has not started yet. At most `max_connections` of the session are connected at once, counted by each server; one more waits 2 s for one of them to leave.";

const session = {
  ...shared,
  path: "/sessions/{id}/cdp",
  operationId: "sessionSocket",
  summary: "Connect to a session's browser (WebSocket)",
  description: CONNECTION_LIMIT,
  request: { params, query },
  responses: { ...switching, ...sessionSocketProblems },
};

const page = {
  ...shared,
  path: "/sessions/{id}/cdp/devtools/page/{target_id}",
  operationId: "pageSocket",
  summary: "Connect to one page of a session's browser (WebSocket)",
  description:
    `Or to a worker. DevTools' front end attaches here. ${CONNECTION_LIMIT}`,
  request: {
    params: params.extend({ target_id: targetIdSchema }),
    query,
  },
  responses: {
    ...switching,
    ...sessionSocketProblems,
    ...refusals(
      sessionProblems.session_not_found,
      gatewayProblems.target_not_found,
    ),
  },
};

const connect = {
  ...shared,
  path: "/connect",
  operationId: "connectSocket",
  summary:
    "Make a session, connect to it, and end it with the socket (WebSocket)",
  description:
    "Waits in the queue for at most `queue_timeout_seconds`; then the answer is `session_failed`. The parameters take the place of a session's body; besides those listed, `env.NAME=VALUE` sets a variable of the browser's environment.",
  request: { query: connectQuerySchema },
  responses: {
    ...switching,
    ...refusals(
      gatewayProblems.upgrade_required,
      gatewayProblems.protocol_not_supported,
      "origin_not_allowed",
      "invalid_request",
      poolProblems.pool_not_found,
      poolProblems.pool_paused,
      poolProblems.no_matching_pool,
      poolProblems.browser_not_available,
      poolProblems.argument_not_allowed,
      poolProblems.queue_full,
      sessionProblems.session_not_running,
      sessionProblems.session_ended,
      sessionProblems.session_failed,
      gatewayProblems.too_many_connections,
      gatewayProblems.worker_unreachable,
    ),
  },
};

/** Describes the WebSockets, and tells those who ask without a handshake what is expected. */
export function createSocketRoutes(): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openAPIRegistry.registerPath(session);
  router.openAPIRegistry.registerPath(page);
  router.openAPIRegistry.registerPath(connect);
  router.get("/sessions/:id/cdp", allow("client"), respondUpgradeRequired);
  router.get(
    "/sessions/:id/cdp/devtools/:kind{page|browser}/:target_id",
    allow("client"),
    respondUpgradeRequired,
  );
  router.get("/connect", allow("client"), respondUpgradeRequired);
  return router;
}

/** Tells who asks for a socket over HTTP what is expected. */
export function respondUpgradeRequired(c: Context<GridEnv>): Response {
  const response = answerProblem(
    c,
    new GridError(
      gatewayProblems.upgrade_required,
      `Cannot serve "${c.req.path}" over HTTP: it is a WebSocket, expected an upgrade`,
    ),
  );
  for (const [name, value] of Object.entries(EXPECTED_UPGRADE)) {
    response.headers.set(name, value);
  }
  return response;
}
