import type { Context, Next } from "hono";
import type { GridEnv } from "./middleware.ts";

/** Where WebDriver's clients make sessions, command them, and ask whether a server is ready; also as Selenium 3 has it. */
const WEBDRIVER = /^(\/wd\/hub)?\/(session(\/|$)|sessions$|status$)/;

const NEW_SESSION = /\/session\/?$/;

const MESSAGE =
  "Browsergrid does not speak WebDriver, but CDP: connect to /v1/connect with Playwright's chromium.connectOverCDP(), puppeteer.connect() or another CDP client, or make a session with POST /v1/sessions";

/**
 * Answers clients of WebDriver, which read no other shape, with what to use. Needs no key: there is none that they could
 * show.
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
