import { poolProblems } from "../../src/apps/workerpool/problems.ts";
import type { MiddlewareHandler } from "hono";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { KeyAuth } from "../../src/http/auth/auth.ts";
import { type Clock, systemClock } from "../../src/async/clock.ts";
import { declareRoute } from "../../src/http/auth/access.ts";
import { GridError } from "../../src/core/errors.ts";
import type { GridEnv, Middleware } from "../../src/core/middleware.ts";
import { createChain } from "../../src/http/middleware_chain.ts";
import { buildRouter, createRouter } from "../../src/http/router.ts";
import { loadSettings, type SettingsInput } from "../../src/core/settings.ts";
import { MIDDLEWARE } from "../../src/installed.ts";

export const KEY = "k-0123456789";

/** Options of a test's middleware. */
export interface ChainedOptions {
  /** @default {MIDDLEWARE} */
  readonly known?: readonly Middleware[];
  readonly settings?: SettingsInput;
  readonly clock?: Clock;
}

const things = createRoute({
  method: "post",
  path: "/things",
  request: {
    body: {
      content: {
        "application/json": { schema: z.strictObject({ size: z.int() }) },
      },
    },
  },
  responses: { 204: { description: "Done" } },
});

/** Creates the real chain. */
export function createTestChain(
  { known, settings: flags, clock }: ChainedOptions = {},
): readonly MiddlewareHandler<GridEnv>[] {
  const { settings } = loadSettings({
    defaults: { data_dir: "/data", api_key: KEY },
    env: {},
    flags: flags ?? {},
  });
  return createChain(known ?? MIDDLEWARE, {
    settings,
    auth: new KeyAuth(settings.api_key),
    clock: clock ?? systemClock,
  });
}

/** Creates the real router with the real chain and a few routes of `/v1` that respond, reject and fail. */
export function createTestRouter(
  options: ChainedOptions = {},
  middleware: readonly MiddlewareHandler<GridEnv>[] = createTestChain(options),
): OpenAPIHono<GridEnv> {
  const v1 = createRouter();
  v1.openapi(things, (c) => c.body(null, 204));
  v1.get("/ok", (c) => c.json({ ok: true }));
  v1.get("/large", (c) => c.json({ text: "large ".repeat(1_000) }));
  v1.put(
    "/workerpool/workers/:id/heartbeat",
    declareRoute({ isUnlimited: true, isQuiet: true }).middleware,
    (c) => c.json({}),
  );
  v1.get("/own", (c) => {
    c.header("Content-Security-Policy", "default-src 'self'");
    c.header("Cache-Control", "max-age=60");
    return c.text("own");
  });
  v1.get("/fetched", () => fetch("data:text/plain,elsewhere"));
  v1.get("/full", () => {
    throw new GridError(poolProblems.queue_full, "Cannot queue");
  });
  v1.get("/broken", (c) => {
    c.header("X-Set-Before", "kept");
    throw new Error("broken");
  });
  v1.get("/not-an-error", () => {
    // deno-lint-ignore no-throw-literal -- a careless app may do this
    throw "text";
  });
  return buildRouter({
    version: "0.0.0",
    middleware,
    apps: [{ manager: {}, routes: { v1 } }],
    checkReady: () => Promise.resolve(),
  });
}

/** Sends a request with the key from `address`. */
export function request(
  router: OpenAPIHono<GridEnv>,
  path: string,
  { address = "192.0.2.1", headers = {}, ...init }: {
    readonly address?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly method?: string;
    readonly body?: string;
  } = {},
): Promise<Response> {
  const request = new Request(`http://localhost${path}`, {
    ...init,
    headers: { "x-api-key": KEY, ...headers },
  });
  const incoming = { socket: { remoteAddress: address } };
  return Promise.resolve(router.fetch(request, { incoming }));
}

/** Returns status and code of a problem. */
export async function readProblem(
  response: Response,
): Promise<readonly [number, unknown]> {
  const { code } = await response.json();
  return [response.status, code];
}
