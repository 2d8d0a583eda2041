import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { declareRoute } from "../../http/auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter, problemResponses } from "../../http/router.ts";
import { workerProofSchema } from "../../http/auth/worker_caller.ts";
import { addSocket, type ServeSocket } from "../../http/server/socket_route.ts";
import { handoverPurpose } from "./replica.ts";
import { gatewayProblems } from "../problems.ts";
import { workerProblems } from "../../apps/workers/problems.ts";

const shared = { tags: ["Tunnels"] };

const workerId = z.string().describe("Id of a worker");

const tunnel = {
  ...shared,
  ...declareRoute({ roles: ["worker"], isUnlimited: true }),
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
    ...problemResponses(
      "upgrade_required",
      "not_found",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
};

const lent = {
  ...shared,
  ...declareRoute({
    roles: ["client"],
    isUnlimited: true,
    connectTokenParam: "id",
  }),
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
    ...problemResponses(
      "upgrade_required",
      gatewayProblems.worker_unreachable,
    ),
  },
};

/** Returns the sockets of workers' tunnels, and those between the servers of a grid. */
export function createSocketRoutes(serve: {
  readonly tunnel: ServeSocket;
  readonly stream: ServeSocket;
  readonly remoteStream: ServeSocket;
}): OpenAPIHono<GridEnv> {
  const router = createRouter();
  addSocket(router, tunnel, serve.tunnel);
  addSocket(router, stream, serve.stream);
  addSocket(router, lent, serve.remoteStream);
  return router;
}
