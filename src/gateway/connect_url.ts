import type { SessionManager } from "../apps/sessions/manager.ts";
import type { Core } from "../core/app.ts";
import { type Caller, isAnonymous } from "../core/caller.ts";

/** Headers of a handshake response that name the session and its connect URL. */
export const SESSION_HEADERS = {
  id: "Browsergrid-Session-Id",
  connectUrl: "Browsergrid-Connect-Url",
} as const;

/** Options of a connect URL. */
export interface ConnectUrlOptions {
  readonly id: string;
  readonly caller: Caller;
  /** URL of the client's request, with its query. */
  readonly url: URL;
  /** Lifetime of the token. @default The setting of the server. */
  readonly lifetimeMs?: number | undefined;
}

/**
 * Returns the connect token for the URLs of a caller; undefined if authentication is off. A caller that has authenticated
 * with a token gets the same token, so its lifetime is not extended.
 */
export async function resolveToken(
  { auth }: Pick<Core, "auth">,
  { id, caller, url, lifetimeMs }: ConnectUrlOptions,
): Promise<string | undefined> {
  const hasToken = isAnonymous(caller) || caller.sessionId !== undefined;
  if (hasToken) return url.searchParams.get("token") ?? undefined;
  return await auth.connectTokens.issue(id, lifetimeMs);
}

/** Creates the headers of a handshake response, with the URL at which the client can connect again. */
export async function createSessionHeaders(
  core: Pick<Core, "auth">,
  manager: Pick<SessionManager, "buildConnectUrl">,
  options: ConnectUrlOptions & { readonly baseUrl: string },
): Promise<Readonly<Record<string, string>>> {
  const base = manager.buildConnectUrl(options.id, options.baseUrl);
  const token = await resolveToken(core, options);
  const query = token === undefined ? "" : `?${new URLSearchParams({ token })}`;
  return {
    [SESSION_HEADERS.id]: options.id,
    [SESSION_HEADERS.connectUrl]: base + query,
  };
}
