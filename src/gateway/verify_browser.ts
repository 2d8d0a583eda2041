import { z } from "@hono/zod-openapi";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { requestBrowser } from "./browser_http.ts";
import type { Dialer } from "./dialer.ts";

const versionSchema = z.object({ webSocketDebuggerUrl: z.url() });

/** How a browser is asked who it is. */
export interface VerifyBrowserOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Whether the browser that a way leads to is the one that it is for, and not another behind the same address: each makes
 * up a path of its own. Not, if it does not answer in time.
 */
export async function verifyBrowser(
  dialer: Dialer,
  { timeoutMs, signal }: VerifyBrowserOptions,
): Promise<boolean> {
  using timeout = deadline(systemClock, timeoutMs, signal);
  try {
    const { body } = await requestBrowser(dialer, {
      path: "/json/version",
      signal: timeout.signal,
    });
    const { webSocketDebuggerUrl } = versionSchema.parse(JSON.parse(body));
    return new URL(webSocketDebuggerUrl).pathname === dialer.url.pathname;
  } catch {
    return false;
  }
}
