import type { Caller } from "../../core/caller.ts";
import type { apiKeys } from "./models.ts";
import type { KeyStatus, KeyWire } from "./schemas.ts";

/** A key as it is stored. */
export type KeyRow = Readonly<typeof apiKeys.$inferSelect>;

/** Returns the status of a key at `now`. */
export function getKeyStatus(
  { revokedAt, expiresAt }: Pick<KeyRow, "revokedAt" | "expiresAt">,
  now: number,
): KeyStatus {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
}

/** Returns the caller that a key authenticates. */
export function toCaller(
  { id, prefix, role, workPoolId, maxPriority }: KeyRow,
): Caller {
  return {
    id,
    name: prefix,
    role,
    ...(workPoolId === null ? {} : { workPoolId }),
    ...(maxPriority === null ? {} : { maxPriority }),
  };
}

/** Returns the wire form of a key, without its hash. */
export function renderKey(key: KeyRow, now: number): KeyWire {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    role: key.role,
    work_pool_id: key.workPoolId,
    max_sessions: key.maxSessions,
    max_queue: key.maxQueue,
    max_priority: key.maxPriority,
    status: getKeyStatus(key, now),
    created_at: new Date(key.createdAt).toISOString(),
    expires_at: toIsoTime(key.expiresAt),
    last_used_at: toIsoTime(key.lastUsedAt),
    revoked_at: toIsoTime(key.revokedAt),
  };
}

function toIsoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
