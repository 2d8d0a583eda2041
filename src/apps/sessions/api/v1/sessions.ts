import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { renderLocation } from "../../../../http/base_url.ts";
import { access, getCaller } from "../../../../http/auth/access.ts";
import type { Core } from "../../../../core/app.ts";
import type { Caller } from "../../../../core/caller.ts";
import { deadline } from "../../../../async/deadline.ts";
import { nextTurn } from "../../../../async/next_turn.ts";
import { GridError } from "../../../../core/errors.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import {
  parseTraceparent,
  TRACEPARENT_DESCRIPTION,
} from "../../../../core/trace/trace_context.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import type { CreateOnceOptions, CreateResult } from "../../create.ts";
import { idempotencyHeaderSchema, REPLAYED_HEADER } from "../../idempotency.ts";
import { sessionInputExample } from "../../examples.ts";
import type { Session, SessionManager } from "../../manager.ts";
import {
  type SessionInput,
  sessionInputSchema,
  sessionListSchema,
  sessionSchema,
  type SessionWire,
} from "../../schemas.ts";
import { labelFilterSchema } from "../../schemas/labels.ts";
import { SESSION_STATUSES } from "../../status.ts";
import { sessionProblems } from "../../problems.ts";
import { poolProblems } from "../../../workerpool/problems.ts";
import type { RenderSession } from "./render.ts";
import { selectView } from "./view.ts";

const MAX_WAIT_SECONDS = 300;

const statusSchema = z.enum(SESSION_STATUSES);

/** Part of a regular expression. */
const STATUS = SESSION_STATUSES.join("|");

const headers = z.object({
  "Location": z.string().openapi({
    description: "Path of the session",
    example: "/v1/sessions/01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  }),
  [REPLAYED_HEADER]: z.literal("true").optional().describe(
    "Present if an earlier request had the same Idempotency-Key",
  ),
});

const create = createRoute({
  method: "post",
  path: "/sessions",
  tags: ["Sessions"],
  operationId: "createSession",
  ...access("client"),
  summary: "Create a session",
  description:
    "Returns a pending session at once. With `wait` the response is delayed until the browser runs; if the session is still pending then, it is returned with 202. `invalid_request` also means that `resource_limits.timeout_minutes` exceeds the pool's `max_timeout_minutes`; `forbidden` that `priority` exceeds the limit of the key, or that the key may not use the pool; `queue_full` that the `max_queue` of the pool or key is reached.",
  request: {
    headers: idempotencyHeaderSchema.extend({
      traceparent: z.string().optional().describe(TRACEPARENT_DESCRIPTION),
    }),
    query: z.object({
      wait: z.coerce.number().min(0).max(MAX_WAIT_SECONDS).optional()
        .openapi({
          type: "number",
          minimum: 0,
          maximum: MAX_WAIT_SECONDS,
          description:
            "Seconds for which the response waits until the browser runs",
        }),
    }),
    body: {
      required: true,
      content: {
        "application/json": {
          schema: sessionInputSchema,
          examples: {
            "a browser": { value: { browser: "chrome" } },
            "every field": { value: sessionInputExample },
          },
        },
      },
    },
  },
  responses: {
    201: {
      description: "The session",
      headers,
      content: { "application/json": { schema: sessionSchema } },
    },
    202: {
      description:
        "The session was accepted, but does not run yet after `wait`",
      headers,
      content: { "application/json": { schema: sessionSchema } },
    },
    ...problemResponses(
      "invalid_request",
      sessionProblems.idempotency_key_reused,
      poolProblems.pool_not_found,
      poolProblems.pool_paused,
      poolProblems.no_matching_pool,
      poolProblems.browser_not_available,
      poolProblems.argument_not_allowed,
      poolProblems.queue_full,
      sessionProblems.session_failed,
    ),
  },
});

const list = createRoute({
  method: "get",
  path: "/sessions",
  tags: ["Sessions"],
  operationId: "listSessions",
  ...access("client"),
  summary: "List the sessions, newest first",
  request: {
    query: z.object({
      status: z.string().transform((text) => text.split(",")).pipe(
        z.array(statusSchema),
      ).optional().openapi({
        type: "string",
        pattern: `^(${STATUS})(,(${STATUS}))*$`,
        example: "pending,running",
        description: "One status, or several separated by commas",
      }),
      work_pool_id: z.string().optional().describe("Id of a work pool"),
      worker_id: z.string().optional().describe("Id of a worker"),
      label: labelFilterSchema,
      limit: z.coerce.number().int().min(1).max(500).default(50).describe(
        "Maximum number of sessions",
      ),
      cursor: z.uuid("expected next_cursor of the previous page").optional()
        .describe(
          "next_cursor of the previous page",
        ),
    }),
  },
  responses: {
    200: {
      description: "Sessions, newest first",
      content: { "application/json": { schema: sessionListSchema } },
    },
    ...problemResponses("invalid_request"),
  },
});

/** Endpoints of all sessions. */
export function createSessionListRoutes(
  core: Core,
  manager: SessionManager,
  render: RenderSession,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  const createSession = async (
    input: SessionInput,
    caller: Caller,
    { key, trace }: Pick<CreateOnceOptions, "trace"> & {
      readonly key: string | undefined;
    },
  ): Promise<CreateResult> => {
    if (key === undefined) {
      const session = await manager.create(input, { caller, trace });
      return { session, isReplay: false };
    }
    const { id, ...rest } = caller;
    return await manager.createOnce(input, {
      ...rest,
      caller: id,
      key,
      trace,
    });
  };
  router.openapi(create, async (c) => {
    const key = c.req.valid("header")["Idempotency-Key"];
    const { session: created, isReplay } = await createSession(
      c.req.valid("json"),
      getCaller(c),
      { key, trace: c.get("trace") },
    );
    if (!isReplay) {
      c.set("trace", c.get("trace") ?? parseTraceparent(created.traceparent));
    }
    c.header("Location", renderLocation(c, `/v1/sessions/${created.id}`));
    if (isReplay) c.header(REPLAYED_HEADER, "true");
    const { wait } = c.req.valid("query");
    if (wait === undefined) return c.json(await render(c, created), 201);
    using timeout = deadline(
      core.clock,
      wait * 1_000,
      c.req.raw.signal,
      core.stopping,
    );
    const session = await manager.waitUntilStarted(created.id, {
      read: () => manager.get(created.id),
      known: created,
      signal: timeout.signal,
    });
    if (session.status === "running") {
      return c.json(await render(c, session), 201);
    }
    if (session.endedAt !== null) throw sessionFailed(session);
    return c.json(await render(c, session), 202);
  });
  router.openapi(list, async (c) => {
    const view = selectView(manager, c);
    const { items, nextCursor } = await view.list(c.req.valid("query"));
    const rendered: SessionWire[] = [];
    for (const session of items) {
      // Streams and other requests have their turn within a long list.
      if (rendered.length % 100 === 99) await nextTurn();
      rendered.push(await render(c, session));
    }
    return c.json({ items: rendered, next_cursor: nextCursor ?? null }, 200);
  });
  return router;
}

function sessionFailed({ id, status, statusReason }: Session): GridError {
  return new GridError(
    sessionProblems.session_failed,
    `Cannot start a browser: session "${id}" is ${status}: ${
      statusReason ?? "no reason is known"
    }`,
    { session_id: id, status_of_session: status },
  );
}
