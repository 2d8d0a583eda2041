import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Core, EventTypes } from "../../../../core/app.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import {
  access,
  findOwnerLimit,
  getCaller,
} from "../../../../http/auth/access.ts";
import { renderLocation } from "../../../../http/base_url.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { sessionProblems } from "../../../sessions/problems.ts";
import { poolProblems } from "../../../workerpool/problems.ts";
import { renderPatternRule } from "../../event_pattern.ts";
import { webhookInputExample } from "../../examples.ts";
import type { WebhookManager } from "../../manager.ts";
import { webhookProblems } from "../../problems.ts";
import {
  newWebhookSchema,
  rotationSchema,
  webhookInputSchema,
  webhookListSchema,
  webhookPatchSchema,
  webhookSchema,
} from "../../schemas.ts";
import { params, toRef } from "./params.ts";

const tags = ["Webhooks"];

/** Returns the field `event_pattern` with the patterns of known types. */
function describePattern(types: EventTypes) {
  return webhookPatchSchema.shape.event_pattern.openapi({
    type: "string",
    pattern: renderPatternRule(types),
  });
}

const list = createRoute({
  method: "get",
  path: "/webhooks",
  tags,
  operationId: "listWebhooks",
  ...access("client"),
  summary: "List the webhooks, newest first",
  description: "A client key lists its own webhooks.",
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(100).describe(
        "Maximum number of webhooks on a page",
      ),
      cursor: z.uuid("expected next_cursor of the previous page").optional()
        .describe("next_cursor of the previous page"),
    }),
  },
  responses: {
    200: {
      description: "Webhooks, without their secrets",
      content: { "application/json": { schema: webhookListSchema } },
    },
    ...problemResponses("invalid_request"),
  },
});

function createCreateRoute({ eventTypes }: Pick<Core, "eventTypes">) {
  return createRoute({
    method: "post",
    path: "/webhooks",
    tags,
    operationId: "createWebhook",
    ...access("client"),
    summary: "Create a webhook",
    description:
      "Either event_pattern or template selects the events. Only this response contains the secret. A webhook of a client key receives the events of the key's own sessions.",
    request: {
      body: {
        required: true,
        content: {
          "application/json": {
            schema: webhookInputSchema.extend({
              event_pattern: describePattern(eventTypes),
            }).openapi("WebhookInput", { examples: [webhookInputExample] }),
          },
        },
      },
    },
    responses: {
      201: {
        description: "The webhook",
        content: { "application/json": { schema: newWebhookSchema } },
      },
      ...problemResponses(
        "invalid_request",
        webhookProblems.webhook_events_rejected,
        webhookProblems.webhook_target_rejected,
        webhookProblems.webhook_limit,
        sessionProblems.session_not_found,
        poolProblems.pool_not_found,
      ),
    },
  });
}

const get = createRoute({
  method: "get",
  path: "/webhooks/{webhook_id}",
  tags,
  operationId: "getWebhook",
  ...access("client"),
  summary: "Get a webhook, without its secret",
  request: { params },
  responses: {
    200: {
      description: "The webhook",
      content: { "application/json": { schema: webhookSchema } },
    },
    ...problemResponses("invalid_request", webhookProblems.webhook_not_found),
  },
});

function createPatchRoute({ eventTypes }: Pick<Core, "eventTypes">) {
  return createRoute({
    method: "patch",
    path: "/webhooks/{webhook_id}",
    tags,
    operationId: "patchWebhook",
    ...access("client"),
    summary: "Change fields of a webhook",
    description:
      "With active true, a webhook that was paused continues with the deliveries that wait.",
    request: {
      params,
      body: {
        required: true,
        content: {
          "application/json": {
            schema: webhookPatchSchema.extend({
              event_pattern: describePattern(eventTypes),
            }).openapi("WebhookPatch", { examples: [{ active: true }] }),
          },
        },
      },
    },
    responses: {
      200: {
        description: "The webhook",
        content: { "application/json": { schema: webhookSchema } },
      },
      ...problemResponses(
        "invalid_request",
        webhookProblems.webhook_events_rejected,
        webhookProblems.webhook_target_rejected,
        webhookProblems.webhook_not_found,
      ),
    },
  });
}

const remove = createRoute({
  method: "delete",
  path: "/webhooks/{webhook_id}",
  tags,
  operationId: "deleteWebhook",
  ...access("client"),
  summary: "Delete a webhook and its deliveries",
  request: { params },
  responses: {
    204: { description: "The webhook is deleted" },
    ...problemResponses("invalid_request", webhookProblems.webhook_not_found),
  },
});

const rotate = createRoute({
  method: "post",
  path: "/webhooks/{webhook_id}/rotate-secret",
  tags,
  operationId: "rotateWebhookSecret",
  ...access("client"),
  summary: "Replace the secret of a webhook",
  description:
    "Only this response contains the new secret. During the overlap each request has two signatures.",
  request: {
    params,
    body: { content: { "application/json": { schema: rotationSchema } } },
  },
  responses: {
    200: {
      description: "The webhook with its new secret",
      content: { "application/json": { schema: newWebhookSchema } },
    },
    ...problemResponses("invalid_request", webhookProblems.webhook_not_found),
  },
});

/** Creates the endpoints of webhooks. */
export function createWebhookRoutes(
  core: Pick<Core, "eventTypes">,
  manager: WebhookManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(list, async (c) => {
    const owner = findOwnerLimit(getCaller(c));
    const page = await manager.list({ ...c.req.valid("query"), owner });
    return c.json({
      items: [...page.items],
      next_cursor: page.nextCursor ?? null,
    }, 200);
  });
  router.openapi(createCreateRoute(core), async (c) => {
    const owner = findOwnerLimit(getCaller(c));
    const webhook = await manager.create(c.req.valid("json"), owner);
    c.header("Location", renderLocation(c, `/v1/webhooks/${webhook.id}`));
    c.header("Cache-Control", "no-store");
    return c.json(webhook, 201);
  });
  router.openapi(
    get,
    async (c) => c.json(await manager.get(toRef(c, c.req.valid("param"))), 200),
  );
  router.openapi(createPatchRoute(core), async (c) => {
    const ref = toRef(c, c.req.valid("param"));
    return c.json(await manager.update(ref, c.req.valid("json")), 200);
  });
  router.openapi(remove, async (c) => {
    await manager.remove(toRef(c, c.req.valid("param")));
    return c.body(null, 204);
  });
  router.openapi(rotate, async (c) => {
    const ref = toRef(c, c.req.valid("param"));
    const { overlap_seconds } = rotationSchema.parse(c.req.valid("json") ?? {});
    c.header("Cache-Control", "no-store");
    return c.json(await manager.rotateSecret(ref, overlap_seconds), 200);
  });
  return router;
}
