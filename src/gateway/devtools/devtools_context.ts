import type { Context } from "hono";
import type { SessionManager } from "../../apps/sessions/manager.ts";
import { getCaller } from "../../http/auth/access.ts";
import type { Core } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { RESPONSE_MS } from "../browser_http.ts";
import { verifyBrowser } from "../verify_browser.ts";
import { resolveTarget } from "../target.ts";
import { browserUnreachable, type Dialer, type DialerFor } from "../dialer.ts";

/** Dependencies of the routes to sessions' browsers. */
export interface DevtoolsContext {
  readonly core: Pick<Core, "auth" | "clock" | "settings">;
  readonly manager: SessionManager;
  readonly dialerFor: DialerFor;
}

/**
 * Returns the dialer of a session's browser, if the caller may use the session. Waits for a session that has not started
 * yet.
 *
 * It verifies which browser listens at the address: HTTP requests to a browser do not name it, and the address of a
 * container that has just ended may already belong to the browser of another session.
 *
 * @throws {GridError} As {@linkcode resolveTarget}; `worker_unreachable` - no response, or another browser's response.
 */
export async function resolveDialer(
  { core, manager, dialerFor }: DevtoolsContext,
  c: Context<GridEnv>,
  id: string,
): Promise<Dialer> {
  const { signal } = c.req.raw;
  const dialer = await dialerFor(
    await resolveTarget(
      { core, manager, caller: getCaller(c) },
      id,
      signal,
    ),
  );
  const isVerified = await verifyBrowser(dialer, {
    timeoutMs: RESPONSE_MS,
    signal,
  });
  if (isVerified) return dialer;
  throw browserUnreachable(new Error("no response of the session's browser"));
}
