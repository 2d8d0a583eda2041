import type { Context } from "hono";
import type { SessionManager } from "../../apps/sessions/manager.ts";
import { callerIn } from "../../http/auth/access.ts";
import type { Core } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { RESPONSE_MS } from "../browser_http.ts";
import { verifyBrowser } from "../verify_browser.ts";
import { resolveTarget } from "../target.ts";
import { browserUnreachable, type Dialer, type DialerFor } from "../dialer.ts";

/** What routes to sessions' browsers need. */
export interface DevtoolsContext {
  readonly core: Pick<Core, "auth" | "clock" | "settings">;
  readonly manager: SessionManager;
  /** How a browser is reached. */
  readonly dialerFor: DialerFor;
}

/**
 * The way to the browser of a session that whoever asks may use; one that has not started yet is awaited.
 *
 * Only to that browser: what is asked over HTTP names none, and a container that has just died may have left its address
 * to another session's.
 *
 * @throws {GridError} As {@linkcode resolveTarget}; `worker_unreachable` — nobody answers there, or another browser.
 */
export async function resolveDialer(
  { core, manager, dialerFor }: DevtoolsContext,
  c: Context<GridEnv>,
  id: string,
): Promise<Dialer> {
  const parts = { core, manager, caller: callerIn(c) };
  const { signal } = c.req.raw;
  const dialer = dialerFor(await resolveTarget(parts, id, signal));
  if (await verifyBrowser(dialer, { timeoutMs: RESPONSE_MS, signal })) {
    return dialer;
  }
  throw browserUnreachable(new Error("no answer of the session's browser"));
}
