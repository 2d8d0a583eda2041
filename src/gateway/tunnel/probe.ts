import { z } from "@hono/zod-openapi";
import { deadline, systemClock } from "../../core/clock.ts";
import { askBrowser } from "../ask_browser.ts";
import { directly } from "../way.ts";

/** Longest wait for a browser's answer. */
const ANSWER_MS = 1_000;

const versionSchema = z.object({ webSocketDebuggerUrl: z.url() });

/** Whether this server itself reaches the browser that listens at `url`, and not another behind the same address. */
export async function isReached(
  url: URL,
  signal: AbortSignal,
): Promise<boolean> {
  using patience = deadline(systemClock, ANSWER_MS, signal);
  try {
    const { body } = await askBrowser(directly({ url }), {
      path: "/json/version",
      signal: patience.signal,
    });
    const { webSocketDebuggerUrl } = versionSchema.parse(JSON.parse(body));
    // Each browser makes up its own path.
    return new URL(webSocketDebuggerUrl).pathname === url.pathname;
  } catch {
    return false;
  }
}
