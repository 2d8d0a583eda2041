import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { access, declareRoute } from "../../../../http/auth/access.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createFlagSchema } from "../../../../http/flag_schema.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import type { SessionManager } from "../../manager.ts";
import {
  refreshInputSchema,
  sessionDetailSchema,
  sessionSchema,
} from "../../schemas.ts";
import { renderEvent, renderMetric } from "../../render.ts";
import { isTerminal } from "../../status.ts";
import { sessionProblems } from "../../problems.ts";
import type { RenderSession } from "./render.ts";
import { selectView } from "./view.ts";

const params = z.object({ id: z.string().describe("Id of a session") });
const content = { "application/json": { schema: sessionSchema } };
const tags = ["Sessions"];

const get = createRoute({
  method: "get",
  path: "/sessions/{id}",
  tags,
  operationId: "getSession",
  ...access("client"),
  summary: "Get a session",
  request: {
    params,
    query: z.object({
      include: z.string().regex(
        /^(events|metrics)(,(events|metrics))?$/,
        "expected events, metrics or both, separated by a comma",
      ).optional().openapi({
        description:
          "Members to add: events, metrics or both, separated by a comma",
        example: "events,metrics",
      }),
    }),
  },
  responses: {
    200: {
      description: "The session",
      content: { "application/json": { schema: sessionDetailSchema } },
    },
    ...problemResponses("invalid_request", sessionProblems.session_not_found),
  },
});

const stop = createRoute({
  method: "delete",
  path: "/sessions/{id}",
  tags,
  operationId: "stopSession",
  // Served under overload too: it ends work.
  ...declareRoute({ roles: ["client"] }),
  summary: "Stop a session",
  description:
    "The worker closes the browser, and the session is `completed`. With `force` the session is `terminated` at once, and the browser is killed.",
  request: {
    params,
    query: z.object({
      force: createFlagSchema("Kill the browser at once"),
    }),
  },
  responses: {
    200: { description: "The session has ended", content },
    202: { description: "The worker is ending the session", content },
    ...problemResponses("invalid_request", sessionProblems.session_not_found),
  },
});

const refresh = createRoute({
  method: "post",
  path: "/sessions/{id}/refresh",
  tags,
  operationId: "refreshSession",
  ...access("client"),
  summary: "Extend a session, counted from now",
  request: {
    params,
    body: {
      required: false,
      content: {
        "application/json": {
          schema: refreshInputSchema,
        },
      },
    },
  },
  responses: {
    200: { description: "The session", content },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.session_ended,
    ),
  },
});

/** Endpoints of one session. */
export function createSessionRoutes(
  manager: SessionManager,
  render: RenderSession,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(get, async (c) => {
    const { id } = c.req.valid("param");
    const include = c.req.valid("query").include?.split(",") ?? [];
    if (include.length === 0) {
      return c.json(await render(c, await selectView(manager, c).get(id)), 200);
    }
    const { session, events, metrics } = await selectView(manager, c).detail(
      id,
    );
    return c.json({
      ...await render(c, session),
      ...(include.includes("events")
        ? { events: events.map(renderEvent) }
        : {}),
      ...(include.includes("metrics")
        ? { metrics: metrics.map((each) => renderMetric(id, each)) }
        : {}),
    }, 200);
  });
  router.openapi(stop, async (c) => {
    const { force } = c.req.valid("query");
    const session = await selectView(manager, c).requestStop(
      c.req.valid("param").id,
      force
        ? { status: "terminated", reason: "ended by force", force }
        : { status: "completed", reason: "ended by its owner" },
    );
    return c.json(
      await render(c, session),
      isTerminal(session.status) ? 200 : 202,
    );
  });
  router.openapi(refresh, async (c) => {
    // A request without a body has no valid JSON.
    const minutes = c.req.valid("json")?.timeout_minutes;
    const session = await selectView(manager, c).refresh(
      c.req.valid("param").id,
      minutes,
    );
    return c.json(await render(c, session), 200);
  });
  return router;
}
