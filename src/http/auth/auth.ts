import {
  ANONYMOUS,
  type Auth,
  BOOTSTRAP,
  type Caller,
  type KeyFault,
  type KeySource,
  REPLICA,
  SELF,
} from "../../core/caller.ts";
import { type Clock, systemClock } from "../../async/clock.ts";
import { createConnectTokens, isConnectToken } from "./connect_token.ts";
import { GridError } from "../../core/errors.ts";
import {
  hashText,
  isEqualHash,
  newKey,
  parseKeyPrefix,
} from "../../core/redact.ts";
import { REPLICA_HEADER } from "./replica_token.ts";
import type { MatchedRoute } from "../../core/middleware.ts";

/** How callers are told apart. */
export interface AuthOptions {
  /** Everybody needs a key, even if there is none: others can reach the server. @default {false} */
  readonly isExposed?: boolean;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** @default {600} */
  readonly connectTokenSeconds?: number;
}

/** Lets everybody in as long as there is neither `apiKey` nor a plugged key for an admin, else those who have a key. */
export function createAuth(
  apiKey: string | undefined,
  { isExposed = false, clock = systemClock, connectTokenSeconds = 600 }:
    AuthOptions = {},
): Auth {
  let source = createEmptySource();
  const ownKey = newKey();
  // When it is first asked for: what only wires an Auth up does not wait for it.
  const known = once(async () => {
    const own = [await hashText(ownKey), SELF] as const;
    return apiKey === undefined
      ? [own]
      : [[await hashText(apiKey), BOOTSTRAP] as const, own];
  });
  const hasKey = async () => apiKey !== undefined || await source.hasAdmin();

  async function built(key: string): Promise<Caller | undefined> {
    const hash = await hashText(key);
    return (await known()).find(([own]) => isEqualHash(own, hash))?.[1];
  }

  async function authenticate(
    key: string | undefined,
  ): Promise<Caller | KeyFault> {
    const fault = key === undefined ? "missing" : "wrong";
    if (key !== undefined) {
      const caller = await built(key);
      if (caller) return caller;
      // What was made for a grid is held to what it is, even where nobody is asked.
      if (parseKeyPrefix(key)) return await source.find(key);
    }
    return isExposed || await hasKey() ? fault : ANONYMOUS;
  }

  return {
    hasKey,
    authenticate,
    selfKey: ownKey,
    connectTokens: createConnectTokens({
      clock,
      lifetimeMs: connectTokenSeconds * 1_000,
      secret: () => source.secret(),
    }),
    setKeySource(plugged) {
      source = plugged;
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/** What there is without the keys app: a secret of this process. */
function createEmptySource(): KeySource {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const hasAdmin = false;
  return {
    find: () => Promise.resolve("wrong"),
    hasAdmin: () => Promise.resolve(hasAdmin),
    secret: () => Promise.resolve(secret),
  };
}

/** The parts of a request that tell who it comes from. */
export interface RequestParts {
  readonly headers: Headers;
  readonly query: URLSearchParams;
  /** The declared route of the path. */
  readonly route?: MatchedRoute | undefined;
  /** True if the request opens a WebSocket; such clients often cannot set headers. */
  readonly isUpgrade?: boolean;
}

/** The key in `X-API-Key`, `Authorization: Bearer …`, or, for WebSockets, whose clients set no headers, `?token=`. */
export function readKey(
  { headers, query }: Pick<RequestParts, "headers" | "query">,
): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  return headers.get("x-api-key") ?? bearer?.[1] ?? readToken(query);
}

/** Whoever puts `?token=KEY` behind a connect URL, which has a token already, means the key. */
function readToken(query: URLSearchParams): string | undefined {
  return query.get("token")?.split("?token=").at(-1);
}

/**
 * Who a request comes from.
 *
 * @throws {GridError} `unauthorized` — when a key is needed and none or a wrong one is given.
 */
export async function authenticateRequest(
  auth: Auth,
  request: RequestParts,
): Promise<Caller> {
  if (await isReplica(auth, request)) return REPLICA;
  const key = readKey(request);
  const found = key !== undefined && isConnectToken(key)
    ? await authenticateToken(auth, key, request)
    : await auth.authenticate(key);
  if (typeof found === "object") return found;
  throw new GridError(
    "unauthorized",
    `Cannot accept the request: the key is ${found}, expected a valid one in X-API-Key or Authorization: Bearer${
      request.isUpgrade ? ", or in the URL as ?token=KEY" : ""
    }`,
  );
}

/** A connect token is good only in the query, and only for the session in the path of a route that declares it. */
async function authenticateToken(
  { connectTokens, authenticate }: Auth,
  token: string,
  { route, query }: RequestParts,
): Promise<Caller | KeyFault> {
  const param = route?.declaration.connectTokenParam;
  const sessionId = param === undefined ? undefined : route?.params[param];
  const isValid = sessionId !== undefined && readToken(query) === token &&
    await connectTokens.isValid(token, sessionId);
  if (!isValid) return await authenticate(token);
  const id = `connect:${sessionId}`;
  return { id, name: "connect", role: "client", sessionId };
}

/** Another server's proof takes the place of the worker's key, but only for the purpose that the route declares. */
async function isReplica(
  { connectTokens }: Auth,
  { headers, route }: RequestParts,
): Promise<boolean> {
  const proof = headers.get(REPLICA_HEADER);
  const purpose = route?.declaration.replicaPurpose?.(route.params);
  return proof !== null && purpose !== undefined &&
    await connectTokens.isValid(proof, purpose);
}
