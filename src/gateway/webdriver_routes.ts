import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { GridEnv } from "../core/middleware.ts";
import { declareRoute } from "../http/auth/access.ts";
import { createRouter } from "../http/router.ts";

/** Paths of WebDriver's new session, commands and status. */
const PATHS = ["/session", "/session/*", "/sessions", "/status"];

/** Path prefix of Selenium 3. */
const HUB = "/wd/hub";

const MESSAGE =
  "Browsergrid speaks CDP, not WebDriver: connect to /v1/connect with Playwright's chromium.connectOverCDP(), puppeteer.connect() or another CDP client, or create a session with POST /v1/sessions";

/**
 * Returns routes that respond to WebDriver clients in the only error format that they read, and name the alternative.
 * They need no key, because such clients cannot send one.
 *
 * @see {@link https://www.w3.org/TR/webdriver2/#errors WebDriver: errors}
 */
export function createWebDriverRoutes(): OpenAPIHono<GridEnv> {
  const router = createRouter();
  const open = declareRoute({ isOpen: true, acceptsAnyHost: true });
  for (const path of PATHS) {
    router.all(path, open.middleware, respond);
    router.all(HUB + path, open.middleware, respond);
  }
  return router;
}

function respond(c: Context<GridEnv>): Response {
  const { path, method } = c.req;
  const isNew = method === "POST" && path.endsWith("/session");
  const error = isNew ? "session not created" : "unknown command";
  const value = { error, message: MESSAGE, stacktrace: "" };
  return c.json({ value }, isNew ? 500 : 404);
}
