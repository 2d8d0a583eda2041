import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { access, declareRoute } from "../http/auth/access.ts";
import type { OnDemand } from "../async/on_demand.ts";
import {
  addSocket,
  rejectUpgrade,
  type Upgrade,
} from "../http/server/socket_route.ts";
import type { UpgradeTarget } from "./upgrade_request.ts";
import { TRACEPARENT_DESCRIPTION } from "../core/trace/trace_context.ts";
import type { GridEnv } from "../core/middleware.ts";
import { createRouter, problemResponses } from "../http/router.ts";
import { targetIdSchema } from "./devtools/target_id.ts";
import { connectQuerySchema } from "./connect_query.ts";
import { SESSION_HEADERS } from "./connect_url.ts";
import { abortOnClose } from "./abort_on_close.ts";
import type { Clients } from "./clients.ts";
import { gatewayProblems } from "./problems.ts";
import { sessionProblems } from "../apps/sessions/problems.ts";
import { poolProblems } from "../apps/workerpool/problems.ts";

/** Properties that all WebSocket routes share. */
const shared = {
  tags: ["Connect"],
  security: [{ ApiKey: [] }, { Bearer: [] }, { Token: [] }],
};

const ofSession = {
  ...declareRoute({ roles: ["client"], connectTokenParam: "id" }),
  ...shared,
};

const switchingProtocols = {
  101: {
    description:
      "The WebSocket is open: CDP in both directions. It closes with 1001 when the session has ended or the server stops, with 1011 when the browser is gone, with 1012 after a fault in the server while the browser still runs, with 4001 when another client has taken over the connection, and with 4002 when the browser has closed only this connection and still runs: its page is gone, or it received a binary frame or a message over 100 MB. A client is pinged after 20 s without data in either direction (websocket_ping_seconds)",
    headers: z.object({
      [SESSION_HEADERS.id]: z.string().openapi({
        description: "Id of the session",
        example: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
      }),
      [SESSION_HEADERS.connectUrl]: z.string().openapi({
        description:
          "URL to connect to the session again; contains a token if authentication is on",
        example:
          "ws://127.0.0.1:8765/v1/sessions/01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d/cdp",
      }),
    }),
  },
};

const { token } = connectQuerySchema.shape;

const params = z.object({ id: z.string().describe("Id of a session") });

const sessionSocketProblems = problemResponses(
  "upgrade_required",
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
    "Close the oldest connection if the session has max_connections, for example a previous connection whose end is not detected yet",
  ),
  token,
});

const CONNECTION_LIMIT =
  "Waits for a session that has not started yet. A session has at most `max_connections` clients at once, counted by each server; another client waits 2 s for one of them to disconnect.";

const session = {
  ...ofSession,
  path: "/sessions/{id}/cdp",
  operationId: "sessionSocket",
  summary: "Connect to a session's browser (WebSocket)",
  description: CONNECTION_LIMIT,
  request: { params, query },
  responses: { ...switchingProtocols, ...sessionSocketProblems },
};

const page = {
  ...ofSession,
  path: "/sessions/{id}/cdp/devtools/page/{target_id}",
  pattern: "/sessions/:id/cdp/devtools/:kind{page|browser}/:target_id",
  operationId: "pageSocket",
  summary: "Connect to one page of a session's browser (WebSocket)",
  description:
    `The target may also be a worker. The DevTools front end connects here. ${CONNECTION_LIMIT}`,
  request: {
    params: params.extend({ target_id: targetIdSchema }),
    query,
  },
  responses: {
    ...switchingProtocols,
    ...sessionSocketProblems,
    ...problemResponses(
      sessionProblems.session_not_found,
      gatewayProblems.target_not_found,
    ),
  },
};

const connect = {
  ...access("client"),
  ...shared,
  path: "/connect",
  operationId: "connectSocket",
  summary:
    "Create a session, connect to it, and end it with the connection (WebSocket)",
  description:
    "Waits in the queue for at most `queue_timeout_seconds`, then responds with `session_failed`. The parameters have the names of the fields of a session's body; in addition to those listed, `env.NAME=VALUE` sets an environment variable of the browser.",
  request: {
    query: connectQuerySchema,
    headers: z.object({
      traceparent: z.string().optional().describe(TRACEPARENT_DESCRIPTION),
    }),
  },
  responses: {
    ...switchingProtocols,
    ...problemResponses(
      "upgrade_required",
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

/** Creates the WebSocket routes of clients. */
export function createSocketRoutes(
  clients: Pick<OnDemand<Clients>, "get">,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  async function serve(upgrade: Upgrade, target: UpgradeTarget): Promise<void> {
    const closed = abortOnClose(upgrade.socket);
    try {
      const loaded = await clients.get();
      await loaded.connections.serveClient({ ...upgrade, closed }, target);
    } catch (error) {
      rejectUpgrade(upgrade.socket, error, upgrade.context);
    }
  }
  addSocket(router, session, (upgrade) => {
    const { id = "" } = upgrade.params;
    return serve(upgrade, { kind: "session", id });
  });
  addSocket(router, page, (upgrade) => {
    const { id = "", kind = "", target_id = "" } = upgrade.params;
    const page = { kind, id: target_id };
    return serve(upgrade, { kind: "session", id, page });
  });
  addSocket(
    router,
    connect,
    (upgrade) => serve(upgrade, { kind: "connect" }),
  );
  return router;
}
