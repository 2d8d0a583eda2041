import type { Context } from "hono";
import { getCaller } from "../../http/auth/access.ts";
import { getBaseUrl } from "../../http/base_url.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { resolveToken } from "../connect_url.ts";
import type { DevtoolsContext } from "./devtools_context.ts";

/** Returns the URL at which clients connect to a path of a session's browser; the empty path is the whole browser. */
export type ConnectUrlBuilder = (path: string) => string;

/** Creates the builder for the caller of a request. If authentication is on, the URLs contain a connect token. */
export async function createConnectUrlBuilder(
  { core, manager }: DevtoolsContext,
  c: Context<GridEnv>,
  id: string,
): Promise<ConnectUrlBuilder> {
  const base = manager.buildConnectUrl(id, getBaseUrl(c));
  const url = new URL(c.req.url);
  const token = await resolveToken(core, { id, caller: getCaller(c), url });
  if (token === undefined) return (path) => base + path;
  c.header("Cache-Control", "no-store");
  return (path) => `${base}${path}?${new URLSearchParams({ token })}`;
}
