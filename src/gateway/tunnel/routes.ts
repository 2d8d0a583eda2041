import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { access, allow } from "../../http/auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter, refusals } from "../../http/router.ts";
import { workerProofSchema } from "../../http/auth/worker_caller.ts";
import { respondUpgradeRequired } from "../socket_routes.ts";
import { gatewayProblems } from "../problems.ts";
import { workerProblems } from "../../apps/workers/problems.ts";

/** What the description says of each. The handshake itself never comes to the router. */
const shared = {
  method: "get" as const,
  tags: ["Tunnels"],
  "x-websocket": true,
};

const workerId = z.string().describe("Id of a worker");

const tunnel = {
  ...shared,
  "x-roles": access("worker")["x-roles"],
  path: "/workerpool/workers/{worker_id}/tunnel",
  operationId: "workerTunnel",
  summary: "Open a worker's tunnel, by the worker (WebSocket)",
  description:
    'The server sends `{"type":"open","stream_id":…,"session_id":…}` for each client; the worker opens that stream, or answers `{"type":"refused","stream_id":…,"reason":…}`. A later tunnel of the same worker takes the place of an earlier one.',
  request: {
    params: z.object({ worker_id: workerId }),
    headers: workerProofSchema,
  },
  responses: {
    101: { description: "The tunnel is open" },
    ...refusals(
      gatewayProblems.upgrade_required,
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
};

const stream = {
  ...shared,
  "x-roles": access("worker")["x-roles"],
  path: "/workerpool/workers/{worker_id}/tunnel/{stream_id}",
  operationId: "workerStream",
  summary: "Open one stream of a worker's tunnel, by the worker",
  description:
    "Asked for as a WebSocket, so that proxies let it pass; after the 101 the browser's bytes go both ways as they are. It may come to any server of the grid: one that does not wait for the stream hands it on to the one that has the tunnel.",
  request: {
    params: z.object({
      worker_id: workerId,
      stream_id: z.string().describe("stream_id of an open message"),
    }),
    headers: workerProofSchema,
  },
  responses: {
    101: { description: "The stream is open" },
    ...refusals(
      gatewayProblems.upgrade_required,
      "not_found",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
};

const lent = {
  ...shared,
  "x-roles": access("client")["x-roles"],
  security: [{ ApiKey: [] }, { Bearer: [] }, { Token: [] }],
  path: "/sessions/{id}/cdp/stream",
  operationId: "sessionStream",
  summary: "Open a stream through a tunnel, by another server of the grid",
  description:
    "For a client that has come to a server to which the tunnel does not lead. Clients connect to `/sessions/{id}/cdp`.",
  request: {
    params: z.object({ id: z.string().describe("Id of a session") }),
    query: z.object({
      worker_id: z.string().describe("Worker that holds the session"),
      token: z.string().optional().describe("A connect token of the session"),
    }),
  },
  responses: {
    101: { description: "The stream is open" },
    ...refusals(
      gatewayProblems.upgrade_required,
      gatewayProblems.worker_unreachable,
    ),
  },
};

/** Describes the sockets, and tells those who ask without a handshake what is expected. */
export function createTunnelRoutes(): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const each of [tunnel, stream, lent]) {
    router.openAPIRegistry.registerPath(each);
  }
  const path = "/workerpool/workers/:id/tunnel";
  router.get(path, allow("worker"), respondUpgradeRequired);
  router.get(`${path}/:stream`, allow("worker"), respondUpgradeRequired);
  router.get(
    "/sessions/:id/cdp/stream",
    allow("client"),
    respondUpgradeRequired,
  );
  return router;
}
