import type { Context } from "hono";
import { getCaller } from "../../../../http/auth/access.ts";
import type { Core } from "../../../../core/app.ts";
import { isAnonymous } from "../../../../core/caller.ts";
import { getBaseUrl } from "../../../../http/base_url.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import type { Session, SessionManager } from "../../manager.ts";
import type { SessionWire } from "../../schemas.ts";
import { renderSession } from "../../render.ts";
import { isTerminal } from "../../status.ts";

/** Renders a session for the caller of a request. */
export type RenderSession = (
  c: Context<GridEnv>,
  session: Session,
) => Promise<SessionWire>;

/**
 * Returns a renderer of sessions. If authentication is on, the connect URL of a session that has not ended contains a token,
 * and the response must not be cached.
 */
export function createSessionRenderer(
  { auth, settings }: Pick<Core, "auth" | "settings">,
  manager: Pick<SessionManager, "buildConnectUrl">,
): RenderSession {
  const hasLiveView = settings.live_view &&
    (settings.apps?.includes("dashboard") ?? true);
  return async function renderForCaller(c, session) {
    const baseUrl = getBaseUrl(c);
    const connectUrl = manager.buildConnectUrl(session.id, baseUrl);
    if (isTerminal(session.status)) {
      return renderSession(session, { connectUrl, liveUrl: null });
    }
    const liveUrl = hasLiveView
      ? `${baseUrl}/ui/sessions/${session.id}/live`
      : null;
    if (isAnonymous(getCaller(c))) {
      return renderSession(session, { connectUrl, liveUrl });
    }
    const token = await auth.connectTokens.issue(session.id);
    c.header("Cache-Control", "no-store");
    return renderSession(session, {
      connectUrl: `${connectUrl}?token=${token}`,
      liveUrl,
    });
  };
}
