import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Core, EventTypes } from "../../../../core/app.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { access, getCaller } from "../../../../http/auth/access.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { eventExample } from "../../examples.ts";
import { renderEvent } from "../../event.ts";
import type { EventManager } from "../../manager.ts";
import { createEventSchema } from "../../schemas.ts";
import { createFilterParameters, toEventFilter } from "./filter.ts";

const CURSOR = /^\d{1,15}$/;

/** Returns the schema of a page of events of `types`. */
function createListSchema(types: EventTypes) {
  return z.object({
    items: z.array(createEventSchema(types)),
    next_cursor: z.string().nullable(),
  }).openapi("EventList", {
    examples: [{ items: [eventExample], next_cursor: null }],
  });
}

/** Returns the route that lists events of the installed apps. */
function createListRoute({ eventTypes }: Pick<Core, "eventTypes">) {
  return createRoute({
    method: "get",
    path: "/events",
    tags: ["Events"],
    operationId: "listEvents",
    ...access("client"),
    summary: "List events, oldest first",
    description:
      "A page reads at most 5,000 events: where few of them match, it may have fewer than `limit`, or none, and still a `next_cursor`. A client key reads the events of its own sessions; `label` finds those of sessions that are still stored.",
    request: {
      query: z.object({
        ...createFilterParameters(eventTypes),
        order: z.enum(["asc", "desc"]).default("asc").describe(
          "asc: oldest first, desc: newest first",
        ),
        limit: z.coerce.number().int().min(1).max(1_000).default(100).describe(
          "Maximum number of events",
        ),
        cursor: z.string().regex(CURSOR, "expected the sequence of an event")
          .transform(Number).optional().openapi({
            type: "string",
            pattern: CURSOR.source,
            description:
              "next_cursor of the previous page, or the sequence of an event",
          }),
      }),
    },
    responses: {
      200: {
        description: "Events in the order of their sequence",
        content: {
          "application/json": {
            // Created when the API is described: the schemas of all types take 10 ms.
            get schema() {
              return createListSchema(eventTypes);
            },
          },
        },
      },
      ...problemResponses("invalid_request"),
    },
  });
}

/** Endpoints of events. */
export function createEventRoutes(
  core: Pick<Core, "eventTypes">,
  manager: EventManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(createListRoute(core), async (c) => {
    const { order, limit, cursor, ...query } = c.req.valid("query");
    const filter = toEventFilter(query, {
      caller: getCaller(c),
      types: core.eventTypes,
    });
    const page = await manager.list({ ...filter, order, limit, cursor });
    return c.json({
      items: page.items.map(renderEvent),
      next_cursor: page.nextCursor?.toString() ?? null,
    }, 200);
  });
  return router;
}
