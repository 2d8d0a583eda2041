import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { liveProblems } from "../../apps/live/problems.ts";
import {
  LIVE_PROTOCOL,
  TOKEN_PROTOCOL,
} from "../../apps/live/schemas/live_messages.ts";
import { sessionProblems } from "../../apps/sessions/problems.ts";
import type { OnDemand } from "../../async/on_demand.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { declareRoute } from "../../http/auth/access.ts";
import { createRouter, problemResponses } from "../../http/router.ts";
import {
  addSocket,
  rejectUpgrade,
  type Upgrade,
} from "../../http/server/socket_route.ts";
import { gatewayProblems } from "../problems.ts";
import { liveViewProblems } from "./problems.ts";

const MESSAGES =
  "Pictures are binary messages, all else is JSON text. The messages are described in docs/live-view.md. A viewer is neither a client nor activity of the session, and has no place among its `max_connections`.";

const shared = {
  tags: ["Live view"],
  responses: {
    101: { description: "The live view is open" },
    ...problemResponses(
      "upgrade_required",
      "origin_not_allowed",
      "invalid_request",
      liveProblems.live_view_off,
      sessionProblems.session_not_found,
      sessionProblems.session_not_running,
      sessionProblems.session_ended,
      sessionProblems.session_failed,
      gatewayProblems.worker_unreachable,
      liveViewProblems.too_many_viewers,
    ),
  },
};

const sessionView = {
  ...shared,
  ...declareRoute({ roles: ["client"] }),
  path: "/sessions/{id}/live",
  operationId: "liveSocket",
  summary: "View and control a session's browser (WebSocket)",
  description:
    `The subprotocol is \`${LIVE_PROTOCOL}\`. Waits for a session that has not started yet. ${MESSAGES}`,
  request: {
    params: z.object({ id: z.string().describe("Id of a session") }),
  },
};

const linkView = {
  ...shared,
  ...declareRoute({ isOpen: true }),
  path: "/live",
  operationId: "liveLinkSocket",
  summary: "View a session's browser with a live link (WebSocket)",
  description:
    `The subprotocols are \`${LIVE_PROTOCOL}\` and \`${TOKEN_PROTOCOL}TOKEN\`, with the token of the link. ${MESSAGES}`,
  responses: {
    ...shared.responses,
    ...problemResponses(liveProblems.live_link_not_valid),
  },
};

/** Handlers of the sockets. Both reject with the problem of a rejected upgrade. */
export interface LiveHandlers {
  /** Serves a caller with a key. */
  serveSession(upgrade: Upgrade): Promise<void>;
  /** Serves a person with a link. */
  serveLink(upgrade: Upgrade): Promise<void>;
}

/** Creates the WebSocket routes of viewers. */
export function createLiveRoutes(
  views: Pick<OnDemand<LiveHandlers>, "get">,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  addSocket(router, sessionView, serveWith("serveSession"));
  addSocket(router, linkView, serveWith("serveLink"));
  return router;

  function serveWith(name: keyof LiveHandlers) {
    return async (upgrade: Upgrade): Promise<void> => {
      try {
        await (await views.get())[name](upgrade);
      } catch (error) {
        if (upgrade.socket.destroyed) return;
        rejectUpgrade(upgrade.socket, error, upgrade.context);
      }
    };
  }
}
