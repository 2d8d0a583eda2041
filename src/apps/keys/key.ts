import type { Caller } from "../../core/caller.ts";
import { createRowRenderer } from "../../http/wire_form.ts";
import type { apiKeys } from "./models.ts";
import { keySchema, type KeyStatus, type KeyWire } from "./schemas.ts";

/** A stored key. */
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

const renderRow = createRowRenderer(keySchema);

/** Returns the wire form of a key, without its hash. */
export function renderKey(key: KeyRow, now: number): KeyWire {
  return renderRow({ ...key, status: getKeyStatus(key, now) });
}
