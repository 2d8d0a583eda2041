import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { SessionManager } from "../apps/sessions/manager.ts";
import { access, allow, callerIn } from "../core/access.ts";
import type { Core } from "../core/app.ts";
import { deadline, systemClock } from "../core/clock.ts";
import type { GridEnv } from "../core/middleware.ts";
import { webSocketOrigin } from "../core/public_origin.ts";
import { createRouter, refusals } from "../core/router.ts";
import { connectQuerySchema } from "./connect_query.ts";
import { askBrowser } from "./ask_browser.ts";
import { tokenFor } from "./own_address.ts";
import { targetOf } from "./target.ts";
import { browserUnreachable, directly, type Way } from "./way.ts";

const ASK_MS = 5_000;

const versionSchema = z.record(z.string(), z.unknown());
const targetsSchema = z.array(versionSchema);

type Described = z.infer<typeof versionSchema>;

/** What the browser is asked. */
interface Question<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
}

const VERSION: Question<Described> = {
  path: "/json/version",
  schema: versionSchema,
};
const TARGETS: Question<readonly Described[]> = {
  path: "/json/list",
  schema: targetsSchema,
};

/** Members of Chrome's answers that show its own address. */
const OWN_ADDRESSES = ["devtoolsFrontendUrl", "devtoolsFrontendUrlCompat"];

const params = z.object({ id: z.string().describe("Id of a session") });
const tags = ["Connect"];

const VERSION_EXAMPLE = {
  "Browser": "Chrome/142.0.7444.59",
  "Protocol-Version": "1.3",
  webSocketDebuggerUrl:
    "ws://127.0.0.1:8765/v1/sessions/01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d/cdp",
};

const version = {
  description: "As Chrome gives it, with the grid's address",
  content: {
    "application/json": { schema: versionSchema, example: VERSION_EXAMPLE },
  },
};

const unreachable = refusals(
  "session_not_found",
  "session_not_running",
  "session_ended",
  "session_failed",
  "worker_unreachable",
);

const sessionVersion = createRoute({
  method: "get",
  path: "/sessions/{id}/cdp/json/version",
  operationId: "sessionVersion",
  ...access("client"),
  tags,
  summary: "Find a session's WebSocket, as clients of Chrome do",
  description: "Waits for a session that has not started yet.",
  request: { params },
  responses: { 200: version, ...unreachable },
});

const sessionTargets = createRoute({
  method: "get",
  path: "/sessions/{id}/cdp/json/list",
  operationId: "sessionTargets",
  ...access("client"),
  tags,
  summary: "List the pages of a session's browser, as Chrome does",
  description: "Waits for a session that has not started yet.",
  request: { params },
  responses: {
    200: {
      description: "As Chrome gives them, with the grid's addresses",
      content: {
        "application/json": {
          schema: targetsSchema,
          example: [{
            id: "8C1D",
            type: "page",
            title: "Example",
            url: "https://example.com/",
            webSocketDebuggerUrl:
              `${VERSION_EXAMPLE.webSocketDebuggerUrl}/devtools/page/8C1D`,
          }],
        },
      },
    },
    ...unreachable,
  },
});

const connectVersion = createRoute({
  method: "get",
  path: "/connect/json/version",
  operationId: "connectVersion",
  "x-roles": access("client")["x-roles"],
  tags,
  summary: "Find the WebSocket that makes a session",
  description: "Its parameters go on into the address; they are checked there.",
  request: { query: connectQuerySchema },
  responses: { 200: version },
});

/** The route, and other paths of the same: those of Chrome, and a slash at the end, with which Playwright asks. */
function variantsOf<R extends { readonly path: string }>(
  route: R,
  ...others: readonly string[]
): readonly R[] {
  const paths = [route.path, ...others].flatMap((path) => [path, `${path}/`]);
  return paths.map((path) => ({ ...route, path, hide: path !== route.path }));
}

/** Chrome's HTTP endpoints, for clients that find the WebSocket by them; every address in the answers is the grid's. */
export function discoveryRoutes(
  core: Pick<Core, "auth" | "clock" | "settings">,
  manager: SessionManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();

  async function describe<T>(
    c: Context<GridEnv>,
    id: string,
    question: Question<T>,
  ): Promise<T> {
    const { signal } = c.req.raw;
    const parts = { core, manager, caller: callerIn(c) };
    const way = directly(await targetOf(parts, id, signal));
    return await ask(way, question, signal);
  }

  for (const route of variantsOf(sessionVersion)) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const version = await describe(c, id, VERSION);
      const urlOf = await connectUrls(c, id);
      return c.json(rewritten(version, urlOf("")), 200);
    });
  }
  router.openAPIRegistry.registerPath(connectVersion);
  for (const slash of ["", "/"]) {
    router.get(connectVersion.path + slash, allow("client"), (c) => {
      const origin = webSocketOrigin(core.settings, c.req.url);
      return c.json({
        "Browser": "Browsergrid",
        "Protocol-Version": "1.3",
        webSocketDebuggerUrl: `${origin}/v1/connect${
          new URL(c.req.url).search
        }`,
      });
    });
  }
  for (const route of variantsOf(sessionTargets, "/sessions/{id}/cdp/json")) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const targets = await describe(c, id, TARGETS);
      const urlOf = await connectUrls(c, id);
      return c.json(
        targets.map((target) => rewritten(target, urlOf(pagePathOf(target)))),
        200,
      );
    });
  }
  return router;

  /** Addresses by path at the browser. Where keys are needed they carry a token, whatever the key came in. */
  async function connectUrls(
    c: Context<GridEnv>,
    id: string,
  ): Promise<(path: string) => string> {
    const base = manager.connectUrlOf(id, c.req.url);
    const url = new URL(c.req.url);
    const token = await tokenFor(core, { id, caller: callerIn(c), url });
    if (token === undefined) return (path) => base + path;
    c.header("Cache-Control", "no-store");
    return (path) => `${base}${path}?${new URLSearchParams({ token })}`;
  }
}

/** @throws {GridError} `worker_unreachable` — no answer, or none that a browser gives. */
async function ask<T>(
  way: Way,
  { path, schema }: Question<T>,
  signal: AbortSignal,
): Promise<T> {
  using patience = deadline(systemClock, ASK_MS, signal);
  try {
    const answer = await askBrowser(way, { path, signal: patience.signal });
    return schema.parse(JSON.parse(answer.body));
  } catch (cause) {
    throw browserUnreachable(cause);
  }
}

function pagePathOf({ webSocketDebuggerUrl }: Described): string {
  const url = typeof webSocketDebuggerUrl === "string"
    ? URL.parse(webSocketDebuggerUrl)
    : null;
  return url?.pathname ?? "";
}

function rewritten(described: Described, url: string): Described {
  const shown = Object.entries(described).filter(([name]) =>
    !OWN_ADDRESSES.includes(name)
  );
  return { ...Object.fromEntries(shown), webSocketDebuggerUrl: url };
}
