import type { Context, Next } from "hono";
import type { GridEnv } from "../core/middleware.ts";

/** Paths of WebDriver's new session, commands and status, also with the prefix of Selenium 3. */
const WEBDRIVER = /^(\/wd\/hub)?\/(session(\/|$)|sessions$|status$)/;

const NEW_SESSION = /\/session\/?$/;

const MESSAGE =
  "Browsergrid speaks CDP, not WebDriver: connect to /v1/connect with Playwright's chromium.connectOverCDP(), puppeteer.connect() or another CDP client, or create a session with POST /v1/sessions";

/**
 * Responds to WebDriver clients in the only error format that they read, and names the alternative. Needs no key,
 * because such clients cannot send one.
 *
 * @see {@link https://www.w3.org/TR/webdriver2/#errors WebDriver: errors}
 */
export async function answerWebDriver(
  c: Context<GridEnv>,
  next: Next,
): Promise<Response | void> {
  const { path, method } = c.req;
  if (!WEBDRIVER.test(path)) return await next();
  const isNew = method === "POST" && NEW_SESSION.test(path);
  const error = isNew ? "session not created" : "unknown command";
  const value = { error, message: MESSAGE, stacktrace: "" };
  return c.json({ value }, isNew ? 500 : 404);
}
