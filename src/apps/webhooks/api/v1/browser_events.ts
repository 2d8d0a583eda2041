import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../../../core/middleware.ts";
import { declareRoute, getCaller } from "../../../../http/auth/access.ts";
import {
  readWorkerCaller,
  workerProofSchema,
} from "../../../../http/auth/worker_caller.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { workerProblems } from "../../../workers/problems.ts";
import type { BrowserEventManager } from "../../browser_event_manager.ts";
import {
  browserEventsResultSchema,
  browserEventsSchema,
} from "../../schemas/browser_events.ts";

const send = createRoute({
  method: "post",
  path: "/workerpool/workers/{worker_id}/browser-events",
  tags: ["Workers"],
  operationId: "sendBrowserEvents",
  ...declareRoute({ roles: ["worker"], isUnlimited: true, isQuiet: true }),
  summary: "Send browser events for webhooks",
  description:
    "The events of sessions that the worker holds, in the order in which they were observed.",
  request: {
    params: z.object({ worker_id: z.string().describe("Id of a worker") }),
    headers: workerProofSchema,
    body: {
      required: true,
      content: { "application/json": { schema: browserEventsSchema } },
    },
  },
  responses: {
    200: {
      description: "The number of events that are delivered",
      content: { "application/json": { schema: browserEventsResultSchema } },
    },
    ...problemResponses(
      "invalid_request",
      workerProblems.worker_not_found,
      workerProblems.worker_replaced,
    ),
  },
});

/** Creates the endpoint of browser events, which only workers call. */
export function createBrowserEventRoutes(
  manager: BrowserEventManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(send, async (c) => {
    const caller = await readWorkerCaller(c.req.valid("header"), getCaller(c));
    const accepted = await manager.record(
      c.req.valid("param").worker_id,
      c.req.valid("json"),
      caller,
    );
    return c.json({ accepted }, 200);
  });
  return router;
}
