import type { Context } from "hono";
import { callerIn } from "../../http/auth/access.ts";
import { baseUrlIn } from "../../http/base_url.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { resolveToken } from "../connect_url.ts";
import type { DevtoolsContext } from "./route_context.ts";

/** Where clients connect to a session's browser, or to the path of one of its targets. */
export type ToConnectUrl = (path: string) => string;

/** Addresses by path at the browser. Where keys are needed they carry a token, whatever the key came in. */
export async function createToConnectUrl(
  { core, manager }: DevtoolsContext,
  c: Context<GridEnv>,
  id: string,
): Promise<ToConnectUrl> {
  const base = manager.buildConnectUrl(id, baseUrlIn(c));
  const url = new URL(c.req.url);
  const token = await resolveToken(core, { id, caller: callerIn(c), url });
  if (token === undefined) return (path) => base + path;
  c.header("Cache-Control", "no-store");
  return (path) => `${base}${path}?${new URLSearchParams({ token })}`;
}
