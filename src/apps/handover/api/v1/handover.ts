import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { deadline } from "../../../../async/deadline.ts";
import type { Core } from "../../../../core/app.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import {
  access,
  declareRoute,
  getCaller,
} from "../../../../http/auth/access.ts";
import { getBaseUrl } from "../../../../http/base_url.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { sessionProblems } from "../../../sessions/problems.ts";
import { liveProblems } from "../../../live/problems.ts";
import { renderHandover, renderLiveUrl } from "../../handover.ts";
import type { HandoverManager } from "../../manager.ts";
import { handoverProblems } from "../../problems.ts";
import {
  finishInputSchema,
  handoverInputSchema,
  handoverSchema,
  newHandoverSchema,
} from "../../schemas.ts";

/** Longest wait for the end of a request, in seconds. */
const MAX_WAIT_SECONDS = 60;

const shared = {
  path: "/sessions/{id}/handover",
  tags: ["Hand-over"],
};

const params = z.object({ id: z.string().describe("Id of a session") });

const content = { "application/json": { schema: handoverSchema } };

const request = createRoute({
  ...shared,
  ...access("client"),
  method: "post",
  operationId: "requestHandover",
  summary: "Ask a person to take control of a session",
  description:
    "`control` of the session is `human` until the request ends. A session has at most one open request; `handover_open` contains its id.",
  request: {
    params,
    body: {
      required: true,
      content: { "application/json": { schema: handoverInputSchema } },
    },
  },
  responses: {
    201: {
      description: "The request",
      content: { "application/json": { schema: newHandoverSchema } },
    },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.session_not_running,
      sessionProblems.session_ended,
      handoverProblems.handover_open,
      liveProblems.live_link_limit,
    ),
  },
});

const get = createRoute({
  ...shared,
  ...access("client"),
  method: "get",
  operationId: "getHandover",
  summary: "Get the last request, or wait for its end",
  request: {
    params,
    query: z.object({
      wait: z.coerce.number().min(0).max(MAX_WAIT_SECONDS).optional().openapi({
        type: "number",
        description:
          "Seconds for which the response waits until the request has ended",
      }),
    }),
  },
  responses: {
    200: { description: "The request in its present state", content },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      handoverProblems.handover_not_found,
    ),
  },
});

const cancel = createRoute({
  ...shared,
  // Served under overload too: it ends work.
  ...declareRoute({ roles: ["client"] }),
  method: "delete",
  operationId: "cancelHandover",
  summary: "Cancel the open request",
  request: { params },
  responses: {
    200: { description: "The cancelled request", content },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      handoverProblems.handover_not_open,
    ),
  },
});

const finish = createRoute({
  ...shared,
  ...declareRoute({ roles: ["client"] }),
  path: "/sessions/{id}/handover/finish",
  method: "post",
  operationId: "finishHandover",
  summary: "End the open request, as the person does with Done",
  request: {
    params,
    body: {
      required: false,
      content: { "application/json": { schema: finishInputSchema } },
    },
  },
  responses: {
    200: { description: "The request, which has ended", content },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      handoverProblems.handover_not_open,
    ),
  },
});

/** Endpoints of hand-overs, version 1. */
export function createHandoverRoutes(
  { clock, stopping }: Pick<Core, "clock" | "stopping">,
  manager: HandoverManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(request, async (c) => {
    const { id } = c.req.valid("param");
    const ref = { id, caller: getCaller(c) };
    const { handover, token } = await manager.request(
      ref,
      c.req.valid("json"),
    );
    c.header("Cache-Control", "no-store");
    return c.json({
      ...renderHandover(handover),
      live_url: token === undefined
        ? null
        : renderLiveUrl(getBaseUrl(c), token),
    }, 201);
  });
  router.openapi(get, async (c) => {
    const { id } = c.req.valid("param");
    const ref = { id, caller: getCaller(c) };
    const { wait = 0 } = c.req.valid("query");
    using timeout = deadline(
      clock,
      wait * 1_000,
      c.req.raw.signal,
      stopping,
    );
    const handover = await manager.wait(ref, timeout.signal);
    return c.json(renderHandover(handover), 200);
  });
  router.openapi(cancel, async (c) => {
    const { id } = c.req.valid("param");
    const handover = await manager.cancel({ id, caller: getCaller(c) });
    return c.json(renderHandover(handover), 200);
  });
  router.openapi(finish, async (c) => {
    const { id } = c.req.valid("param");
    const ref = { id, caller: getCaller(c) };
    // A request without a body has no valid JSON.
    const { result = "done", note } = c.req.valid("json") ?? {};
    const handover = await manager.finishFor(ref, { result, note });
    return c.json(renderHandover(handover), 200);
  });
  return router;
}
