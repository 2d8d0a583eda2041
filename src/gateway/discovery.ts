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

const answerSchema = z.record(z.string(), z.unknown());

type Described = z.infer<typeof answerSchema>;

/** Members of Chrome's answers that show its own address. */
const OWN_ADDRESSES = ["devtoolsFrontendUrl", "devtoolsFrontendUrlCompat"];

/** Chrome's HTTP endpoints, for clients that find the WebSocket by them; every address in the answers is the grid's. */
export function discoveryRoutes(
  { settings }: Pick<Core, "settings">,
  manager: SessionManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();

  async function describe(id: string, path: string, signal: AbortSignal) {
    const endpoint = await endpointOf(manager, id, signal);
    return await ask(endpoint, path, signal);
  }

  /** Playwright asks with a slash at the end. */
  for (const slash of ["", "/"]) {
    router.get(`/sessions/:id/cdp/json/version${slash}`, async (c) => {
      const id = c.req.param("id");
      const answer = await describe(id, "/json/version", c.req.raw.signal);
      const version = answerSchema.parse(answer);
      return c.json(rewritten(version, connectUrl(c.req, id)));
    });
    router.get(`/connect/json/version${slash}`, (c) => {
      const origin = webSocketOrigin(settings, c.req.url);
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
        const answer = await describe(id, "/json/list", c.req.raw.signal);
        const targets = z.array(answerSchema).parse(answer);
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

async function ask(endpoint: URL, path: string, signal: AbortSignal) {
  try {
    const response = await fetch(`http://${endpoint.host}${path}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]),
    });
    const answer: unknown = await response.json();
    return answer;
  } catch (cause) {
    throw new GridError(
      "worker_unreachable",
      "Cannot ask the browser: it does not answer, expected a browser that runs; try again",
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
