import {
  ANONYMOUS,
  type Auth,
  BOOTSTRAP,
  type Caller,
  type ConnectTokens,
  type KeyFault,
  type KeySource,
  REPLICA,
  SELF,
} from "../../core/caller.ts";
import { type Clock, systemClock } from "../../async/clock.ts";
import { HmacConnectTokens, isConnectToken } from "./connect_token.ts";
import { GridError } from "../../core/errors.ts";
import {
  hashKey,
  hashText,
  isEqualHash,
  newKey,
  parseKeyPrefix,
} from "../../core/redact.ts";
import {
  type CookieRequest,
  readSignInCookie,
  requireCsrfHeader,
} from "./sign_in_cookie.ts";
import { REPLICA_HEADER } from "./replica_token.ts";
import type { MatchedRoute } from "../../core/middleware.ts";

/** Options of {@linkcode KeyAuth}. */
export interface AuthOptions {
  /** Requests need a key even if none exists, because other machines can reach the server. @default {false} */
  readonly isExposed?: boolean;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** @default {600} */
  readonly connectTokenSeconds?: number;
}

/** Accepts every request as long as there is neither an API key nor an admin key in the source, else those with a key. */
export class KeyAuth implements Auth {
  readonly selfKey = newKey();
  readonly connectTokens: ConnectTokens;
  readonly #apiKey: string | undefined;
  readonly #isExposed: boolean;
  #source = createEmptySource();
  /** Hashes of the keys that are not in the source; computed with the first request. */
  #builtIn: Promise<readonly (readonly [string, Caller])[]> | undefined;

  constructor(
    apiKey: string | undefined,
    { isExposed = false, clock = systemClock, connectTokenSeconds = 600 }:
      AuthOptions = {},
  ) {
    this.#apiKey = apiKey;
    this.#isExposed = isExposed;
    this.connectTokens = new HmacConnectTokens({
      clock,
      lifetimeMs: connectTokenSeconds * 1_000,
      secret: () => this.#source.secret(),
    });
  }

  async hasKey(): Promise<boolean> {
    return this.#apiKey !== undefined || await this.#source.hasAdmin();
  }

  async authenticate(key: string | undefined): Promise<Caller | KeyFault> {
    const fault = key === undefined ? "missing" : "wrong";
    if (key !== undefined) {
      const caller = await this.#findBuiltIn(key);
      if (caller) return caller;
      // A key of a grid must be valid even where no key is needed.
      if (parseKeyPrefix(key)) return await this.#source.find(key);
    }
    return this.#isExposed || await this.hasKey() ? fault : ANONYMOUS;
  }

  setKeySource(source: KeySource): void {
    this.#source = source;
  }

  async #findBuiltIn(key: string): Promise<Caller | undefined> {
    this.#builtIn ??= this.#hashBuiltIn();
    const hash = await hashKey(key);
    return (await this.#builtIn).find(([each]) => isEqualHash(each, hash))?.[1];
  }

  async #hashBuiltIn(): Promise<readonly (readonly [string, Caller])[]> {
    const self = [await hashText(this.selfKey), SELF] as const;
    return this.#apiKey === undefined
      ? [self]
      : [[await hashText(this.#apiKey), BOOTSTRAP], self];
  }
}

/** Returns a source without keys, with a secret of this process; used if the keys app is not installed. */
function createEmptySource(): KeySource {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const hasAdmin = false;
  return {
    find: () => Promise.resolve("wrong"),
    hasAdmin: () => Promise.resolve(hasAdmin),
    secret: () => Promise.resolve(secret),
  };
}

/** The parts of a request that identify its caller. */
export interface RequestParts extends CookieRequest {
  /** @default {"GET"} */
  readonly method?: string;
  readonly query: URLSearchParams;
  /** The declared route of the path. */
  readonly route?: MatchedRoute | undefined;
  /** True if the request opens a WebSocket; such clients often cannot set headers. */
  readonly isUpgrade?: boolean;
}

/**
 * Reads the key in `X-API-Key`, `Authorization: Bearer ...`, or `?token=`, for WebSocket clients, which often cannot set
 * headers.
 */
export function readKey(
  { headers, query }: Pick<RequestParts, "headers" | "query">,
): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  return headers.get("x-api-key") ?? bearer?.[1] ?? readToken(query);
}

/** Reads `token` of the query. In a connect URL to which `?token=KEY` was appended, the key takes precedence. */
function readToken(query: URLSearchParams): string | undefined {
  return query.get("token")?.split("?token=").at(-1);
}

/**
 * Returns the caller of a request. The cookie of a sign-in counts only without a key.
 *
 * @throws {GridError} `unauthorized` - when a key is needed and it is missing or invalid; `forbidden` - when the cookie
 * must not be used without the header against forged requests.
 */
export async function authenticateRequest(
  auth: Auth,
  request: RequestParts,
): Promise<Caller> {
  if (await isReplica(auth, request)) return REPLICA;
  const key = readKey(request);
  const found = key !== undefined && isConnectToken(key)
    ? await authenticateToken(auth, key, request)
    : await authenticateKey(auth, key, request);
  if (typeof found === "object") return found;
  throw new GridError(
    "unauthorized",
    `Cannot accept the request: the key is ${found}, expected a valid one in X-API-Key or Authorization: Bearer${
      request.isUpgrade ? ", or in the URL as ?token=KEY" : ""
    }`,
  );
}

/**
 * Returns a function that reports whether the key of an accepted request is still valid. A key that is not in this
 * grid's database, such as one of a plugin's middleware, always is.
 */
export function createKeyCheck(
  auth: Pick<Auth, "authenticate">,
  request: Pick<RequestParts, "headers" | "baseUrl" | "query">,
): () => Promise<boolean> {
  const key = readKey(request) ?? readSignInCookie(request);
  return async () =>
    key === undefined || parseKeyPrefix(key) === undefined ||
    typeof await auth.authenticate(key) === "object";
}

/** Accepts the key of a sign-in only in its cookie, and no other key there. */
async function authenticateKey(
  auth: Auth,
  key: string | undefined,
  request: RequestParts,
): Promise<Caller | KeyFault> {
  const { headers, method = "GET" } = request;
  const cookie = key === undefined ? readSignInCookie(request) : undefined;
  if (cookie === undefined) {
    const found = await auth.authenticate(key);
    return isSignedIn(found) ? "wrong" : found;
  }
  const found = await auth.authenticate(cookie);
  if (isSignedIn(found)) {
    requireCsrfHeader(method, headers);
    return found;
  }
  const other = await auth.authenticate(undefined);
  return typeof other === "object" || typeof found === "object" ? other : found;
}

function isSignedIn(found: Caller | KeyFault): found is Caller {
  return typeof found === "object" && found.signedInUntil !== undefined;
}

/** Accepts a connect token only in the query, and only for the session in the path of a route that declares it. */
async function authenticateToken(
  auth: Auth,
  token: string,
  { route, query }: RequestParts,
): Promise<Caller | KeyFault> {
  const param = route?.declaration.connectTokenParam;
  const sessionId = param === undefined ? undefined : route?.params[param];
  const isValid = sessionId !== undefined && readToken(query) === token &&
    await auth.connectTokens.isValid(token, sessionId);
  if (!isValid) return await auth.authenticate(token);
  const id = `connect:${sessionId}`;
  return { id, name: "connect", role: "client", sessionId };
}

/** Reports whether the request has a proof of another server for the purpose that the route declares. */
async function isReplica(
  { connectTokens }: Auth,
  { headers, route }: RequestParts,
): Promise<boolean> {
  const proof = headers.get(REPLICA_HEADER);
  const purpose = route?.declaration.replicaPurpose?.(route.params);
  return proof !== null && purpose !== undefined &&
    await connectTokens.isValid(proof, purpose);
}
