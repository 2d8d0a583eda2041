import type { Context } from "hono";
import type { Auth, Caller } from "../../core/caller.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { getCaller } from "../auth/access.ts";
import { createKeyCheck } from "../auth/auth.ts";
import { getBaseUrl } from "../base_url.ts";
import { getRequestUrl } from "../request_url.ts";

/** The client of a stream. */
export interface StreamClient {
  readonly caller: Pick<Caller, "id" | "name">;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Reports whether the key of the request is still valid. */
  readonly isKeyValid: () => Promise<boolean>;
  /** Closes the connection. */
  readonly disconnect: () => void;
}

/** Returns the client of a request for a stream. */
export function getStreamClient(
  c: Context<GridEnv>,
  auth: Pick<Auth, "authenticate">,
): StreamClient {
  const { incoming } = c.env ?? {};
  return {
    caller: getCaller(c),
    signal: c.req.raw.signal,
    isKeyValid: createKeyCheck(auth, {
      headers: c.req.raw.headers,
      baseUrl: getBaseUrl(c),
      query: getRequestUrl(c).searchParams,
    }),
    disconnect: () => incoming?.socket?.destroy?.(),
  };
}
