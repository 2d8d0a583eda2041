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

/** Returns the caller that a key authenticates. The one of a sign-in has the id of the key that signed in. */
export function toCaller(
  { id, name, prefix, role, workPoolId, maxPriority, ...rest }: KeyRow,
): Caller {
  const { signedInFor, expiresAt } = rest;
  return {
    id: signedInFor ?? id,
    name: signedInFor === null ? prefix : name,
    role,
    ...(signedInFor === null ? {} : { signedInUntil: expiresAt ?? 0 }),
    ...(workPoolId === null ? {} : { workPoolId }),
    ...(maxPriority === null ? {} : { maxPriority }),
  };
}

const renderRow = createRowRenderer(keySchema);

/** Returns the wire form of a key, without its hash. */
export function renderKey(key: KeyRow, now: number): KeyWire {
  return renderRow({ ...key, status: getKeyStatus(key, now) });
}
