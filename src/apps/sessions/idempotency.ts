/**
 * Requests for a session that may be repeated: a key that the client makes up names the request, so that a repeat, after
 * an answer that was lost, finds the session that the first one made.
 *
 * @module
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header The Idempotency-Key HTTP Header Field}
 */
import { z } from "@hono/zod-openapi";
import { GridError } from "../../core/errors.ts";
import type { Secrets } from "../../core/database.ts";
import { sessionProblems } from "./problems.ts";

/** How long a key is remembered. */
export const IDEMPOTENCY_TTL_MS = 24 * 3_600_000;

/** Tells a client that its request had been accepted before. */
export const REPLAYED_HEADER = "Idempotency-Replayed";

/** Header that names the request. Taken as it stands: quotes, which the draft asks for, are part of the key. */
export const idempotencyHeaderSchema = z.object({
  "Idempotency-Key": z.string().regex(
    /^(?!""$)[\x20-\x7e]{1,255}$/,
    "expected 1 to 255 printable ASCII characters, such as a new UUID",
  ).optional().openapi({
    description:
      `Any text, such as a UUID, that is new for each session that is wanted. A repeat within 24 hours, by the same caller and with the same body, is answered with the session of the first request, as it is now, and \`${REPLAYED_HEADER}: true\``,
  }),
});

/** The name of a request. */
export interface IdempotencyKey {
  /** Keys of different callers are different keys. */
  readonly caller: string;
  readonly key: string;
}

/** A request that makes one session, however often it comes. */
export interface IdempotentRequest extends IdempotencyKey {
  /** Of the body: a repeat has the same. */
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

/** Puts the members of each object into one order. */
function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** The refusal of another request under a key that is taken. */
export function keyReused({ key }: IdempotencyKey): GridError {
  return new GridError(
    sessionProblems.idempotency_key_reused,
    `Cannot use Idempotency-Key "${key}": another body came with it within 24 hours, expected that same body, or a new key`,
  );
}
