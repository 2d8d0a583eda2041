import { toIsoTime } from "../../http/wire_form.ts";
import { findLinkEnd, findLinkStatus, type LiveLink } from "./live_link.ts";
import type { LiveLinkWire } from "./schemas.ts";
import type { LinkStatus } from "./status.ts";

/** Renders a link for responses. */
export function renderLink(link: LiveLink, now: number): LiveLinkWire {
  const { revokedAt } = link;
  return {
    id: link.id,
    session_id: link.sessionId,
    mode: link.mode,
    status: renderStatus(link, now),
    note: link.note,
    created_by: link.createdBy,
    created_at: toIsoTime(link.createdAt),
    expires_at: toIsoTime(findLinkEnd(link)),
    revoked_at: revokedAt === null ? null : toIsoTime(revokedAt),
  };
}

/**
 * Returns the address of the live view for the holder of a link. The token is in the fragment, which browsers send to no
 * server.
 *
 * @param baseUrl URL of the server as the client reaches it, without a trailing slash.
 */
export function buildLinkUrl(token: string, baseUrl: string): string {
  return `${baseUrl}/live#${token}`;
}

/** Returns the state of a link. Without a session there is nothing to see, whenever the link would expire. */
function renderStatus(link: LiveLink, now: number): LinkStatus {
  const status = findLinkStatus(link, now);
  return status === "active" && link.sessionEndedAt !== null
    ? "expired"
    : status;
}
