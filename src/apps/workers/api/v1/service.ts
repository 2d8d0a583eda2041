import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { declareRoute, getCaller } from "../../../../http/auth/access.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import {
  readWorkerCaller,
  workerProofSchema,
} from "../../../../http/auth/worker_caller.ts";
import type { CheckEndpoints } from "../../endpoints.ts";
import type { WorkerManager } from "../../manager.ts";
import {
  claimInputSchema,
  claimResponseSchema,
  heartbeatInputSchema,
  heartbeatResponseSchema,
} from "../../schemas/service.ts";
import { workerProblems } from "../../problems.ts";

const params = z.object({
  worker_id: z.string().describe("Id of a worker"),
});
const tags = ["Workers"];

/** Workers repeat these requests automatically, and lose their sessions without them. */
const keepAlive = declareRoute({
  roles: ["worker"],
  isUnlimited: true,
  isQuiet: true,
});

const heartbeat = createRoute({
  method: "put",
  path: "/workerpool/workers/{worker_id}/heartbeat",
  tags,
  operationId: "sendHeartbeat",
  ...keepAlive,
  summary: "Send a worker's reports and receive its commands",
  request: {
    params,
    headers: workerProofSchema,
    body: {
      required: true,
      content: { "application/json": { schema: heartbeatInputSchema } },
    },
  },
  responses: {
    200: {
      description: "The outcome of each report, and the worker's commands",
      content: { "application/json": { schema: heartbeatResponseSchema } },
    },
    ...problemResponses(
      "invalid_request",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
});

const claim = createRoute({
  method: "post",
  path: "/workerpool/workers/{worker_id}/claim-session",
  tags,
  operationId: "claimSession",
  ...keepAlive,
  summary: "Claim pending sessions for a worker",
  request: {
    params,
    headers: workerProofSchema,
    query: z.object({
      wait: z.coerce.number().min(0).max(30).default(0).openapi({
        type: "number",
        minimum: 0,
        maximum: 30,
        description: "Seconds to wait for a session or a command",
      }),
    }),
    body: {
      required: false,
      content: { "application/json": { schema: claimInputSchema } },
    },
  },
  responses: {
    200: {
      description: "Sessions to hold, or commands to obey",
      content: { "application/json": { schema: claimResponseSchema } },
    },
    204: { description: "There was no session and no command in time" },
    ...problemResponses(
      "invalid_request",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
});

/** Creates the endpoints that only workers call. */
export function createServiceRoutes(
  manager: WorkerManager,
  checkEndpoints: CheckEndpoints,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(heartbeat, async (c) => {
    const { worker_id } = c.req.valid("param");
    const body = checkEndpoints(c, c.req.valid("json"));
    const caller = await readWorkerCaller(c.req.valid("header"), getCaller(c));
    const response = await manager.heartbeat(worker_id, body, caller);
    return c.json(response, 200);
  });
  router.openapi(claim, async (c) => {
    // Undefined if the request has no body.
    const input = c.req.valid("json");
    const response = await manager.claim(c.req.valid("param").worker_id, {
      requestId: input?.request_id,
      caller: await readWorkerCaller(c.req.valid("header"), getCaller(c)),
      obeying: input?.obeying,
      room: input?.room,
      count: input?.count,
      waitSeconds: c.req.valid("query").wait,
      signal: c.req.raw.signal,
    });
    return response ? c.json(response, 200) : c.body(null, 204);
  });
  return router;
}
