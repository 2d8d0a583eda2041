import type { Context } from "hono";
import type { SessionManager } from "../../apps/sessions/manager.ts";
import { callerIn } from "../../core/access.ts";
import type { Core } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { targetOf } from "../target.ts";
import type { Way, WayTo } from "../way.ts";

/** What routes to sessions' browsers need. */
export interface ChromeParts {
  readonly core: Pick<Core, "auth" | "clock" | "settings">;
  readonly manager: SessionManager;
  /** How a browser is reached. */
  readonly wayTo: WayTo;
}

/**
 * The way to the browser of a session that whoever asks may use; one that has not started yet is awaited.
 *
 * @throws {GridError} As {@linkcode targetOf}.
 */
export async function wayOf(
  { core, manager, wayTo }: ChromeParts,
  c: Context<GridEnv>,
  id: string,
): Promise<Way> {
  const parts = { core, manager, caller: callerIn(c) };
  return wayTo(await targetOf(parts, id, c.req.raw.signal));
}
