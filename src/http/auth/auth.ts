import { type Clock, systemClock } from "../../async/clock.ts";
import {
  type ConnectTokens,
  createConnectTokens,
  isConnectToken,
} from "./connect_token.ts";
import { GridError } from "../../core/errors.ts";
import { hashOf, isEqualHash, newKey, prefixOf } from "../../core/redact.ts";
import { isHandover, REPLICA_HEADER } from "./replica_token.ts";

/** What a caller may do: `admin` everything, `client` sessions of its own, `worker` what a worker calls. */
export const ROLES = ["admin", "client", "worker"] as const;

export type Role = (typeof ROLES)[number];

/** Who a request comes from. */
export interface Caller {
  /** Unique to its key: `anonymous`, `bootstrap`, `self`, `replica`, the key's id, or `connect:` and a connect token's session. What it makes is its own by this. */
  readonly id: string;
  /** For logs: the id, or the prefix of a key. Never the key. */
  readonly name: string;
  readonly role: Role;
  /** The only work pool that it may use. */
  readonly workPoolId?: string | undefined;
  /** Highest priority that sessions of the key may request. */
  readonly maxPriority?: number | undefined;
  /** Of a connect token: the only session that it is good for. */
  readonly sessionId?: string | undefined;
}

/** Why a key proves nobody. */
export type KeyFault = "missing" | "wrong" | "expired" | "revoked";

/** Keys that are kept elsewhere: the keys app's database. */
export interface KeySource {
  /** The caller that a key of the form of {@linkcode newKey} proves. */
  find(key: string): Promise<Caller | KeyFault>;
  /** Whether there is a key for an admin: from then on everybody needs one. */
  hasAdmin(): Promise<boolean>;
  /** 32 bytes that are the same on every server. */
  secret(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Finds out who a request comes from. */
export interface Auth {
  /** Whether a key is set, or an admin's is in the database. */
  hasKey(): Promise<boolean>;
  /** The caller that `key` proves, or why it proves none. */
  authenticate(key: string | undefined): Promise<Caller | KeyFault>;
  readonly connectTokens: ConnectTokens;
  /** By which the program calls its own server. Known to this process only. */
  readonly ownKey: string;
  /** Has keys found in `source`, too. */
  plug(source: KeySource): void;
}

/** How callers are told apart. */
export interface AuthOptions {
  /** Everybody needs a key, even if there is none: others can reach the server. @default {false} */
  readonly isExposed?: boolean;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** @default {600} */
  readonly connectTokenSeconds?: number;
}

/** Who everybody is where no key is needed. */
export const ANONYMOUS: Caller = {
  id: "anonymous",
  name: "anonymous",
  role: "admin",
};

/** Whether `caller` is whoever comes where no key is needed. */
export function isAnonymous({ id }: Pick<Caller, "id">): boolean {
  return id === ANONYMOUS.id;
}

/** Reports whether `caller` is the program itself, which calls its own server. */
export function isSelf({ id }: Pick<Caller, "id">): boolean {
  return id === SELF.id;
}

const BOOTSTRAP: Caller = { id: "bootstrap", name: "bootstrap", role: "admin" };
const SELF: Caller = { id: "self", name: "self", role: "admin" };

/** Ids of the admin callers that have no key in the database. */
export const BUILT_IN_ADMINS: readonly string[] = [
  ANONYMOUS,
  BOOTSTRAP,
  SELF,
].map(({ id }) => id);

/** Another server of the grid, which hands a worker's stream on. */
const REPLICA: Caller = { id: "replica", name: "replica", role: "worker" };

/** Lets everybody in as long as there is neither `apiKey` nor a plugged key for an admin, else those who have a key. */
export function createAuth(
  apiKey: string | undefined,
  { isExposed = false, clock = systemClock, connectTokenSeconds = 600 }:
    AuthOptions = {},
): Auth {
  let source = sourceOfNone();
  const ownKey = newKey();
  // When it is first asked for: what only wires an Auth up does not wait for it.
  const known = once(async () => {
    const own = [await hashOf(ownKey), SELF] as const;
    return apiKey === undefined
      ? [own]
      : [[await hashOf(apiKey), BOOTSTRAP] as const, own];
  });
  const hasKey = async () => apiKey !== undefined || await source.hasAdmin();

  async function built(key: string): Promise<Caller | undefined> {
    const hash = await hashOf(key);
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
      if (prefixOf(key)) return await source.find(key);
    }
    return isExposed || await hasKey() ? fault : ANONYMOUS;
  }

  return {
    hasKey,
    authenticate,
    ownKey,
    connectTokens: createConnectTokens({
      clock,
      lifetimeMs: connectTokenSeconds * 1_000,
      secret: () => source.secret(),
    }),
    plug(plugged) {
      source = plugged;
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/** What there is without the keys app: a secret of this process. */
function sourceOfNone(): KeySource {
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
  readonly path: string;
  readonly query: URLSearchParams;
  /** True if the request opens a WebSocket; such clients often cannot set headers. */
  readonly isUpgrade?: boolean;
}

/** The key in `X-API-Key`, `Authorization: Bearer …`, or, for WebSockets, whose clients set no headers, `?token=`. */
export function keyOf(
  { headers, query }: Pick<RequestParts, "headers" | "query">,
): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  return headers.get("x-api-key") ?? bearer?.[1] ?? tokenOf(query);
}

/** Whoever puts `?token=KEY` behind a connect URL, which has a token already, means the key. */
function tokenOf(query: URLSearchParams): string | undefined {
  return query.get("token")?.split("?token=").at(-1);
}

/**
 * Who a request comes from.
 *
 * @throws {GridError} `unauthorized` — when a key is needed and none or a wrong one is given.
 */
export async function callerOf(
  auth: Auth,
  request: RequestParts,
): Promise<Caller> {
  if (await isHandingOver(auth, request)) return REPLICA;
  const key = keyOf(request);
  const found = key !== undefined && isConnectToken(key)
    ? await connecting(auth, key, request)
    : await auth.authenticate(key);
  if (typeof found === "object") return found;
  throw new GridError(
    "unauthorized",
    `Cannot accept the request: the key is ${found}, expected a valid one in X-API-Key or Authorization: Bearer${
      request.isUpgrade ? ", or in the URL as ?token=KEY" : ""
    }`,
  );
}

/** Where clients of one session connect, and find out how. */
const SESSION_PATH = /^\/v\d+\/sessions\/([^/]+)\/cdp(\/|$)/;

/** A connect token is good only in the query, and only for its own session's gateway paths. */
async function connecting(
  { connectTokens, authenticate }: Auth,
  token: string,
  { path, query }: RequestParts,
): Promise<Caller | KeyFault> {
  const [, sessionId] = SESSION_PATH.exec(path) ?? [];
  const isValid = sessionId !== undefined && tokenOf(query) === token &&
    await connectTokens.isValid(token, sessionId);
  if (!isValid) return await authenticate(token);
  const id = `connect:${sessionId}`;
  return { id, name: "connect", role: "client", sessionId };
}

/** Where workers dial back. */
const STREAM_PATH =
  /^\/v\d+\/workerpool\/workers\/([^/]+)\/tunnel\/([^/]+)\/?$/;

/** Another server's proof takes the place of the worker's key, but only for the one stream that it is made for. */
async function isHandingOver(
  { connectTokens }: Auth,
  { headers, path }: RequestParts,
): Promise<boolean> {
  const proof = headers.get(REPLICA_HEADER);
  const [, workerId, streamId] = STREAM_PATH.exec(path) ?? [];
  return proof !== null && workerId !== undefined && streamId !== undefined &&
    await isHandover(connectTokens, proof, { workerId, streamId });
}
