import { GridError } from "./errors.ts";

/** What a caller may do: `admin` everything, `client` sessions, `worker` what a worker calls. */
export const ROLES = ["admin", "client", "worker"] as const;

export type Role = (typeof ROLES)[number];

/** Who a request comes from. */
export interface Caller {
  /** Unique to its key: `anonymous`, `bootstrap`, or the key's id. */
  readonly id: string;
  /** For logs: `anonymous`, `bootstrap`, or the prefix of a key. Never the key. */
  readonly name: string;
  readonly role: Role;
}

/** Finds out who a request comes from. */
export interface Auth {
  /** False: no key is set, everybody is let in. */
  readonly required: boolean;
  /** The caller that `key` proves, or undefined if it proves none. */
  authenticate(key: string | undefined): Promise<Caller | undefined>;
}

const ANONYMOUS: Caller = { id: "anonymous", name: "anonymous", role: "admin" };
const BOOTSTRAP: Caller = { id: "bootstrap", name: "bootstrap", role: "admin" };

/** Lets everybody in without `apiKey`, else those who have it. */
export function createAuth(apiKey: string | undefined): Auth {
  return {
    required: apiKey !== undefined,
    async authenticate(key) {
      if (apiKey === undefined) return ANONYMOUS;
      if (key === undefined) return undefined;
      return await equalSecrets(key, apiKey) ? BOOTSTRAP : undefined;
    },
  };
}

/** The key in `X-API-Key`, `Authorization: Bearer …`, or, for WebSockets, whose clients set no headers, `?token=`. */
export function keyOf(
  headers: Headers,
  query?: URLSearchParams,
): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  return headers.get("x-api-key") ?? bearer?.[1] ?? query?.get("token") ??
    undefined;
}

/**
 * Who a request comes from.
 *
 * @throws {GridError} `unauthorized` — when a key is needed and none or a wrong one is given.
 */
export async function callerOf(
  auth: Auth,
  headers: Headers,
  query?: URLSearchParams,
): Promise<Caller> {
  const key = keyOf(headers, query);
  const caller = await auth.authenticate(key);
  if (caller) return caller;
  throw new GridError(
    "unauthorized",
    `Cannot let the request in: the key is ${
      key === undefined ? "missing" : "wrong"
    }, expected it in X-API-Key or Authorization: Bearer`,
  );
}

/** Compares without telling by its duration how much is equal: both sides are hashed first. */
async function equalSecrets(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([digest(a), digest(b)]);
  let difference = 0;
  for (const [at, byte] of x.entries()) difference |= byte ^ (y[at] ?? 0);
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
