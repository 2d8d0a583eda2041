/**
 * Idempotent requests for a session. The client chooses a key for the request. A repeated request with the same key, for
 * example after a lost response, receives the session of the first one.
 *
 * @module
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header The Idempotency-Key HTTP Header Field}
 */
import { z } from "@hono/zod-openapi";
import { GridError } from "../../core/errors.ts";
import type { Secrets } from "../../core/database.ts";
import { sessionProblems } from "./problems.ts";

/** Lifetime of a key. */
export const IDEMPOTENCY_TTL_MS = 24 * 3_600_000;

/** Response header of a repeated request. */
export const REPLAYED_HEADER = "Idempotency-Replayed";

/** Request header with the key. It is used as received: the quotes that the draft requires are part of the key. */
export const idempotencyHeaderSchema = z.object({
  "Idempotency-Key": z.string().regex(
    /^(?!""$)[\x20-\x7e]{1,255}$/,
    "expected 1 to 255 printable ASCII characters, such as a new UUID",
  ).optional().openapi({
    description:
      `Any text that is new for each session, such as a UUID. A repeated request within 24 hours, from the same caller and with the same body, receives the session of the first request in its current state, and \`${REPLAYED_HEADER}: true\``,
  }),
});

/** The key of a request, and its caller. */
export interface IdempotencyKey {
  /** Id of the caller. The same key of two callers is two keys. */
  readonly caller: string;
  readonly key: string;
}

/** A request that creates one session, however often it is repeated. */
export interface IdempotentRequest extends IdempotencyKey {
  /** Fingerprint of the body. A repeated request has the same. */
  readonly fingerprint: string;
}

/**
 * Returns the fingerprint of a body. It does not depend on the order of members or on formatting. It is keyed: a plain
 * hash would let anyone with a copy of the database try passwords against it.
 */
export async function fingerprintBody(
  body: unknown,
  secrets: Pick<Secrets, "fingerprint">,
): Promise<string> {
  return await secrets.fingerprint(JSON.stringify(body, sortMembers));
}

/** Sorts the members of each object. */
function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** Creates the error for a different request with a used key. */
export function keyReused({ key }: IdempotencyKey): GridError {
  return new GridError(
    sessionProblems.idempotency_key_reused,
    `Cannot use Idempotency-Key "${key}": it was used with another body within 24 hours, expected the same body or a new key`,
  );
}
