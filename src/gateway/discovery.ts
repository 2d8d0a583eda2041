import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import type { SessionManager } from "../apps/sessions/manager.ts";
import type { Core } from "../core/app.ts";
import { GridError } from "../core/errors.ts";
import type { GridEnv } from "../core/middleware.ts";
import { webSocketOrigin } from "../core/public_origin.ts";
import { createRouter } from "../core/router.ts";
import { endpointOf } from "./target.ts";

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

/** Chrome's HTTP endpoints, for clients that find the WebSocket by them; every address in the answers is the grid's. */
export function discoveryRoutes(
  core: Pick<Core, "clock" | "settings">,
  manager: SessionManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();

  async function describe<T>(
    id: string,
    question: Question<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const endpoint = await endpointOf({ core, manager }, id, signal);
    return await ask(endpoint, question, signal);
  }

  /** Playwright asks with a slash at the end. */
  for (const slash of ["", "/"]) {
    router.get(`/sessions/:id/cdp/json/version${slash}`, async (c) => {
      const id = c.req.param("id");
      const version = await describe(id, VERSION, c.req.raw.signal);
      return c.json(rewritten(version, connectUrl(c.req, id)));
    });
    router.get(`/connect/json/version${slash}`, (c) => {
      const origin = webSocketOrigin(core.settings, c.req.url);
      return c.json({
        "Browser": "Browsergrid",
        "Protocol-Version": "1.3",
        webSocketDebuggerUrl: `${origin}/v1/connect${
          new URL(c.req.url).search
        }`,
      });
    });
    for (const list of ["json/list", "json"]) {
      router.get(`/sessions/:id/cdp/${list}${slash}`, async (c) => {
        const id = c.req.param("id");
        const targets = await describe(id, TARGETS, c.req.raw.signal);
        return c.json(
          targets.map((target) =>
            rewritten(target, connectUrl(c.req, id, pagePathOf(target)))
          ),
        );
      });
    }
  }
  return router;

  /** The key is in it only if the client itself put it into the URL. */
  function connectUrl(request: HonoRequest, id: string, path = ""): string {
    const token = request.query("token");
    const query = token ? `?${new URLSearchParams({ token })}` : "";
    return manager.connectUrlOf(id, request.url) + path + query;
  }
}

/** @throws {GridError} `worker_unreachable` — no answer, or none that a browser gives. */
async function ask<T>(
  endpoint: URL,
  { path, schema }: Question<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    const response = await fetch(`http://${endpoint.host}${path}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]),
    });
    return schema.parse(await response.json());
  } catch (cause) {
    throw new GridError(
      "worker_unreachable",
      "Cannot ask the browser: it does not answer as one, expected a browser that runs; try again",
      {},
      { cause },
    );
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
