import { z } from "@hono/zod-openapi";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { requestBrowser } from "./browser_http.ts";
import type { Dialer } from "./dialer.ts";

const versionSchema = z.object({ webSocketDebuggerUrl: z.url() });

/** Options of {@linkcode verifyBrowser}. */
export interface VerifyBrowserOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Reports whether the dialer reaches its browser and not another one at the same address. Each browser generates a random
 * WebSocket path, which its HTTP endpoint returns. False if it does not respond in time.
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
