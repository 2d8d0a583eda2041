import type { Context } from "hono";
import type { GridEnv } from "../../../../core/middleware.ts";
import { findOwnerLimit, getCaller } from "../../../../http/auth/access.ts";
import type { OwnerView, SessionManager } from "../../manager.ts";

/** Returns the view of the sessions that the caller of a request may see. */
export function selectView(
  manager: Pick<SessionManager, "forOwner">,
  c: Context<GridEnv>,
): OwnerView {
  return manager.forOwner(findOwnerLimit(getCaller(c)));
}
