import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { declareRoute } from "../../http/auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter, problemResponses } from "../../http/router.ts";
import { workerProofSchema } from "../../http/auth/worker_caller.ts";
import type { OnDemand } from "../../async/on_demand.ts";
import {
  addSocket,
  rejectUpgrade,
  type ServeSocket,
} from "../../http/server/socket_route.ts";
import { handoverPurpose } from "./handover.ts";
import type { TunnelHandlers } from "./tunnel_handlers.ts";
import type { Tunnels } from "./tunnels.ts";
import { gatewayProblems } from "../problems.ts";
import { workerProblems } from "../../apps/workers/problems.ts";

const shared = { tags: ["Tunnels"] };

const workerId = z.string().describe("Id of a worker");

const tunnel = {
  ...shared,
  ...declareRoute({ roles: ["worker"], isUnlimited: true }),
  path: "/workerpool/workers/{worker_id}/tunnel",
  operationId: "workerTunnel",
  summary: "Open a worker's tunnel (WebSocket, for workers)",
  description:
    'The server sends `{"type":"open","stream_id":\u2026,"session_id":\u2026}` for each client; the worker opens that stream or responds with `{"type":"refused","stream_id":\u2026,"reason":\u2026}`. A later tunnel of the same worker replaces an earlier one.',
  request: {
    params: z.object({ worker_id: workerId }),
    headers: workerProofSchema,
  },
  responses: {
    101: { description: "The tunnel is open" },
    ...problemResponses(
      "upgrade_required",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
};

const stream = {
  ...shared,
  ...declareRoute({
    roles: ["worker"],
    isUnlimited: true,
    replicaPurpose: ({ worker_id = "", stream_id = "" }) =>
      handoverPurpose({ workerId: worker_id, streamId: stream_id }),
  }),
  path: "/workerpool/workers/{worker_id}/tunnel/{stream_id}",
  operationId: "workerStream",
  summary: "Open one stream of a worker's tunnel (for workers)",
  description:
    "The request has the form of a WebSocket handshake, so that proxies forward it; after the 101 the connection carries the browser's bytes unchanged. Any server of the grid accepts it: a server that does not wait for the stream forwards it to the server that has the tunnel.",
  request: {
    params: z.object({
      worker_id: workerId,
      stream_id: z.string().describe("stream_id of an open message"),
    }),
    headers: workerProofSchema,
  },
  responses: {
    101: { description: "The stream is open" },
    ...problemResponses(
      "upgrade_required",
      "not_found",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
};

const remoteStream = {
  ...shared,
  ...declareRoute({
    roles: ["client"],
    isUnlimited: true,
    connectTokenParam: "id",
  }),
  security: [{ ApiKey: [] }, { Bearer: [] }, { Token: [] }],
  path: "/sessions/{id}/cdp/stream",
  operationId: "sessionStream",
  summary: "Open a stream through a tunnel (for other servers of the grid)",
  description:
    "For a client that is connected to a server without the worker's tunnel. Clients connect to `/sessions/{id}/cdp`.",
  request: {
    params: z.object({ id: z.string().describe("Id of a session") }),
    query: z.object({
      worker_id: z.string().describe("Worker that holds the session"),
      token: z.string().optional().describe("A connect token of the session"),
    }),
  },
  responses: {
    101: { description: "The stream is open" },
    ...problemResponses(
      "upgrade_required",
      gatewayProblems.worker_unreachable,
    ),
  },
};

/** Creates the routes of the sockets between workers and servers, and between servers. */
export function createTunnelRoutes(
  tunnels: Pick<OnDemand<Tunnels>, "get">,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  addSocket(router, tunnel, serveWith("tunnel"));
  addSocket(router, stream, serveWith("stream"));
  addSocket(router, remoteStream, serveWith("remoteStream"));
  return router;

  function serveWith(name: keyof TunnelHandlers): ServeSocket {
    return async (upgrade) => {
      try {
        const { handlers } = await tunnels.get();
        await handlers[name](upgrade);
      } catch (error) {
        rejectUpgrade(upgrade.socket, error, upgrade.context);
      }
    };
  }
}
