import type { Context } from "hono";
import { callerIn } from "../../core/access.ts";
import { isAnonymous } from "../../core/auth.ts";
import type { GridEnv } from "../../core/middleware.ts";
import type { ChromeParts } from "./chrome_parts.ts";

/** Where clients connect to a session's browser, or to the path of one of its targets. */
export type ConnectUrls = (path: string) => string;

/** Addresses by path at the browser. Where keys are needed they carry a token, whatever the key came in. */
export async function connectUrls(
  { core, manager }: ChromeParts,
  c: Context<GridEnv>,
  id: string,
): Promise<ConnectUrls> {
  const base = manager.connectUrlOf(id, c.req.url);
  const token = await tokenFor(core, c, id);
  if (token === undefined) return (path) => base + path;
  c.header("Cache-Control", "no-store");
  return (path) => `${base}${path}?${new URLSearchParams({ token })}`;
}

/** Whoever has shown a token is given the same again: it is not made to last longer. */
async function tokenFor(
  { auth }: ChromeParts["core"],
  c: Context<GridEnv>,
  id: string,
): Promise<string | undefined> {
  const caller = callerIn(c);
  const hasToken = isAnonymous(caller) || caller.sessionId !== undefined;
  return hasToken ? c.req.query("token") : await auth.connectTokens.issue(id);
}
