import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { OnDemand } from "../../../../async/on_demand.ts";
import type { Core } from "../../../../core/app.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { declareRoute, getCaller } from "../../../../http/auth/access.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { getStreamClient } from "../../../../http/stream/stream_client.ts";
import { eventProblems } from "../../problems.ts";
import type { EventStreams } from "../../stream/event_streams.ts";
import { createFilterParameters, toEventFilter } from "./filter.ts";

const SEQUENCE = /^\d{1,15}$/;

const sequenceSchema = z.string().regex(
  SEQUENCE,
  "expected the sequence of an event",
).transform(Number).optional().openapi({
  type: "string",
  pattern: SEQUENCE.source,
  description:
    "Sequence of the last event that the client has received. Without it and since, the stream begins with the next event",
});

/** Returns the route that streams events of the installed apps. */
function createStreamRoute({ eventTypes }: Pick<Core, "eventTypes">) {
  return createRoute({
    method: "get",
    path: "/events/stream",
    tags: ["Events"],
    operationId: "streamEvents",
    ...declareRoute({ roles: ["client"], isSheddable: true, isQuiet: true }),
    summary: "Stream events as they happen",
    description:
      "Server-sent events: `id` is the sequence, `event` the type, `data` the event as JSON. A comment is sent after 15 s without an event. A client that reads nothing for 30 s is dropped after a last `event: error`; a stream that ends in good order, because its key is no longer valid, or at the latest after an hour, sends `event: end`. Reconnect with `Last-Event-ID`: no event is left out or repeated.",
    request: {
      headers: z.object({ "Last-Event-ID": sequenceSchema }),
      query: z.object({
        ...createFilterParameters(eventTypes),
        last_event_id: sequenceSchema,
      }),
    },
    responses: {
      200: {
        description: "Events in the order of their sequence",
        content: {
          "text/event-stream": {
            schema: z.string(),
            example:
              'id: 42\nevent: session.running\ndata: {"sequence":42,"type":"session.running"}\n\n',
          },
        },
      },
      ...problemResponses(
        "invalid_request",
        eventProblems.too_many_event_streams,
      ),
    },
  });
}

/** The endpoint that streams events. */
export function createStreamRoutes(
  core: Pick<Core, "eventTypes" | "auth">,
  streams: OnDemand<EventStreams>,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(createStreamRoute(core), async (c) => {
    const { last_event_id, ...query } = c.req.valid("query");
    const caller = getCaller(c);
    const opener = await streams.get();
    const body = await opener.open({
      ...getStreamClient(c, core.auth),
      filter: toEventFilter(query, { caller, types: core.eventTypes }),
      after: c.req.valid("header")["Last-Event-ID"] ?? last_event_id,
    });
    return c.body(body, 200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      // Proxies such as nginx would collect the response.
      "X-Accel-Buffering": "no",
    });
  });
  return router;
}
