import type { Caller } from "../../core/caller.ts";
import type { liveLinks } from "./models.ts";
import type { LinkMode, LinkStatus } from "./status.ts";

/** The stored row of a link. */
export type LiveLinkRow = typeof liveLinks.$inferSelect;

/** A link without the hash of its token. */
export type LiveLink = Readonly<Omit<LiveLinkRow, "tokenHash">> & {
  /** Time at which its session has ended. */
  readonly sessionEndedAt: number | null;
  /** Time at which the key of its creator was revoked. */
  readonly keyRevokedAt: number | null;
  /** Time at which the key of its creator expires. */
  readonly keyExpiresAt: number | null;
};

/** A link whose token is valid. */
export interface OpenedLink {
  readonly id: string;
  readonly sessionId: string;
  readonly mode: LinkMode;
  /** Time at which it expires, in milliseconds. */
  readonly expiresAt: number;
}

/** A new link. Nothing else contains its token. */
export interface NewLink {
  readonly link: LiveLink;
  readonly token: string;
}

/** Options of a new link. */
export interface NewLinkOptions {
  readonly mode: LinkMode;
  /** The link ends with its session at the latest. */
  readonly expiresInSeconds: number;
  /** A client creates links of its own sessions only. */
  readonly caller: Caller;
  /** Text for people. @default {""} */
  readonly note?: string;
}

/** A link of a session. */
export interface LinkRef {
  readonly sessionId: string;
  readonly linkId: string;
}

/** Returns the state of a link. A link is not valid without the key of its creator. */
export function findLinkStatus(link: LiveLink, now: number): LinkStatus {
  if (link.revokedAt !== null || link.keyRevokedAt !== null) return "revoked";
  return findLinkEnd(link) <= now ? "expired" : "active";
}

/** Returns the time at which a link expires. */
export function findLinkEnd(
  { expiresAt, keyExpiresAt }: Pick<LiveLink, "expiresAt" | "keyExpiresAt">,
): number {
  return Math.min(expiresAt, keyExpiresAt ?? Infinity);
}
