import { z } from "@hono/zod-openapi";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { askBrowser } from "./browser_http.ts";
import type { Way } from "./dialer.ts";

const versionSchema = z.object({ webSocketDebuggerUrl: z.url() });

/** How a browser is asked who it is. */
export interface OwnBrowserOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Whether the browser that a way leads to is the one that it is for, and not another behind the same address: each makes
 * up a path of its own. Not, if it does not answer in time.
 */
export async function isOwnBrowser(
  way: Way,
  { timeoutMs, signal }: OwnBrowserOptions,
): Promise<boolean> {
  using patience = deadline(systemClock, timeoutMs, signal);
  try {
    const { body } = await askBrowser(way, {
      path: "/json/version",
      signal: patience.signal,
    });
    const { webSocketDebuggerUrl } = versionSchema.parse(JSON.parse(body));
    return new URL(webSocketDebuggerUrl).pathname === way.url.pathname;
  } catch {
    return false;
  }
}
