import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { OnDemand } from "../../../../async/on_demand.ts";
import type { Core } from "../../../../core/app.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import {
  declareRoute,
  findOwnerLimit,
  getCaller,
} from "../../../../http/auth/access.ts";
import {
  readWorkerCaller,
  workerProofSchema,
} from "../../../../http/auth/worker_caller.ts";
import { createFlagSchema } from "../../../../http/flag_schema.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { getStreamClient } from "../../../../http/stream/stream_client.ts";
import type { SessionLogs } from "../../logs/session_logs.ts";
import type { SessionManager } from "../../manager.ts";
import { leaseLost } from "../../owner_view.ts";
import { sessionProblems } from "../../problems.ts";
import {
  sessionLogInputSchema,
  sessionLogResultSchema,
} from "../../schemas/history.ts";
import { selectView } from "./view.ts";

const params = z.object({ id: z.string().describe("Id of a session") });
const tags = ["Sessions"];

const SEQUENCE = /^\d{1,15}$/;

const OUTPUT =
  '[20:20:1126/101603.218:INFO:CONSOLE:1] "hello", source: https://example.org/ (1)\n';

const logs = createRoute({
  method: "get",
  path: "/sessions/{id}/logs",
  tags,
  operationId: "getSessionLogs",
  ...declareRoute({ roles: ["client"], isSheddable: true }),
  summary: "Show or follow the output of a session's browser",
  description:
    "Without `follow`, the last output of a browser that has ended. With it, the last 200 lines and then new output as it comes, until the session has ended. What a slow client or a worker cannot keep up with is left out, and the number of bytes is shown.\n\nAs text, notes of the server are lines that begin with `[browsergrid:`, and an empty line is sent after 15 s without output. With `Accept: text/event-stream`, `event: log` has `text`, `omitted_bytes` and `first` (the text begins with the last lines again), `event: session_ended` the status; after `event: end`, at the latest after an hour, or a lost connection the client continues with `Last-Event-ID`. A client that reads nothing for 30 s is dropped.",
  request: {
    params,
    headers: z.object({
      "Last-Event-ID": z.string().regex(
        SEQUENCE,
        "expected the id of an event of this stream",
      ).transform(Number).optional().openapi({
        type: "string",
        pattern: SEQUENCE.source,
        description: "Id of the last event that the client has received",
      }),
    }),
    query: z.object({
      follow: createFlagSchema("Follow the output until the session has ended"),
    }),
  },
  responses: {
    200: {
      description: "Output; empty if there is none",
      content: {
        "text/plain": { schema: z.string(), example: OUTPUT },
        "text/event-stream": {
          schema: z.string(),
          example: `id: 7\nevent: log\ndata: ${
            JSON.stringify({ text: OUTPUT, omitted_bytes: 0, first: false })
          }\n\n`,
        },
      },
    },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.too_many_log_streams,
    ),
  },
});

const addLogs = createRoute({
  method: "post",
  path: "/sessions/{id}/logs",
  tags,
  operationId: "addSessionLogs",
  // Workers send it about twice a second for each followed session, and only while clients follow.
  ...declareRoute({ roles: ["worker"], isUnlimited: true, isQuiet: true }),
  summary: "Send new output, as the worker that holds the session",
  request: {
    params,
    headers: workerProofSchema,
    body: {
      required: true,
      content: { "application/json": { schema: sessionLogInputSchema } },
    },
  },
  responses: {
    200: {
      description: "Received, or not needed because nothing follows",
      content: { "application/json": { schema: sessionLogResultSchema } },
    },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.lease_lost,
    ),
  },
});

/** Endpoints of the output of a session's browser. */
export function createLogRoutes(
  core: Pick<Core, "auth">,
  manager: SessionManager,
  streams: OnDemand<SessionLogs>,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(logs, async (c) => {
    const { id } = c.req.valid("param");
    if (!c.req.valid("query").follow) {
      return c.text(await selectView(manager, c).logs(id), 200);
    }
    const accept = c.req.header("accept") ?? "";
    const { body, headers } = await (await streams.get()).open({
      id,
      ...getStreamClient(c, core.auth),
      owner: findOwnerLimit(getCaller(c)),
      format: accept.includes("text/event-stream") ? "events" : "text",
      after: c.req.valid("header")["Last-Event-ID"],
    });
    return c.body(body, 200, headers);
  });
  router.openapi(addLogs, async (c) => {
    const { id } = c.req.valid("param");
    const { fencing_token: fencingToken, text, omitted_bytes, first = false } =
      c.req
        .valid("json");
    const caller = await readWorkerCaller(c.req.valid("header"), getCaller(c));
    const followed = await (await streams.get()).append(
      id,
      { text, omitted: omitted_bytes, isFirst: first },
      { fencingToken, caller },
    );
    if (followed === undefined) throw leaseLost(id);
    return c.json({ followed }, 200);
  });
  return router;
}
