import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
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
import type { LiveManager } from "../../manager.ts";
import { liveProblems } from "../../problems.ts";
import { buildLinkUrl, renderLink } from "../../render.ts";
import {
  linkInputSchema,
  linkListSchema,
  newLinkSchema,
} from "../../schemas.ts";

const tags = ["Live view"];

const params = z.object({ id: z.string().describe("Id of a session") });

const create = createRoute({
  method: "post",
  path: "/sessions/{id}/live-links",
  tags,
  operationId: "createLiveLink",
  ...access("client"),
  summary: "Create a link to the live view of a session",
  description:
    "People with the link watch the browser, and with mode control may also control it; the link opens neither CDP nor the API. Only this response contains it.",
  request: {
    params,
    body: {
      required: false,
      content: { "application/json": { schema: linkInputSchema } },
    },
  },
  responses: {
    201: {
      description: "The link",
      content: { "application/json": { schema: newLinkSchema } },
    },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.session_ended,
      liveProblems.live_link_limit,
      liveProblems.live_view_off,
    ),
  },
});

const list = createRoute({
  method: "get",
  path: "/sessions/{id}/live-links",
  tags,
  operationId: "listLiveLinks",
  ...access("client"),
  summary: "List the links to the live view of a session, newest first",
  description:
    "Links that have ended are listed for a day, and no more than the last 100 of them.",
  request: { params },
  responses: {
    200: {
      description: "Links, without their tokens",
      content: { "application/json": { schema: linkListSchema } },
    },
    ...problemResponses("invalid_request", sessionProblems.session_not_found),
  },
});

const revoke = createRoute({
  method: "delete",
  path: "/sessions/{id}/live-links/{link_id}",
  tags,
  operationId: "revokeLiveLink",
  // Served under overload too: it ends access.
  ...declareRoute({ roles: ["client"] }),
  summary: "Revoke a link to the live view of a session",
  description:
    "Every server ends the live views of the link within 1 second. A link that has ended stays as it is.",
  request: {
    params: params.extend({ link_id: z.string().describe("Id of a link") }),
  },
  responses: {
    204: { description: "The link is not valid" },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      liveProblems.live_link_not_found,
    ),
  },
});

/** Creates the endpoints of links to the live view. */
export function createLinkRoutes(
  { clock }: Pick<Core, "clock">,
  manager: LiveManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(create, async (c) => {
    // A request without a body has no valid JSON.
    const body = linkInputSchema.parse(c.req.valid("json") ?? {});
    const { link, token } = await manager.create(c.req.valid("param"), {
      mode: body.mode,
      expiresInSeconds: body.expires_in_seconds,
      note: body.note,
      caller: getCaller(c),
    });
    c.header("Cache-Control", "no-store");
    return c.json({
      ...renderLink(link, clock.now()),
      url: buildLinkUrl(token, getBaseUrl(c)),
    }, 201);
  });
  router.openapi(list, async (c) => {
    const links = await manager.list(c.req.valid("param"), getCaller(c));
    const now = clock.now();
    return c.json({ items: links.map((each) => renderLink(each, now)) }, 200);
  });
  router.openapi(revoke, async (c) => {
    const { id: sessionId, link_id: linkId } = c.req.valid("param");
    await manager.revoke({ sessionId, linkId }, getCaller(c));
    return c.body(null, 204);
  });
  return router;
}
