import { uuidv7 } from "uuidv7";
import type { Core } from "../../core/app.ts";
import type { Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import { hashText } from "../../core/redact.ts";
import { isUuid } from "../../core/text.ts";
import { findOwnerLimit } from "../../http/auth/access.ts";
import { sessionProblems } from "../sessions/problems.ts";
import { isTerminal } from "../sessions/status.ts";
import {
  findLinkEnd,
  findLinkStatus,
  type LinkRef,
  type LiveLink,
  type NewLink,
  type NewLinkOptions,
  type OpenedLink,
} from "./live_link.ts";
import { liveProblems } from "./problems.ts";
import { type LinkedSession, LinkStore } from "./store/links.ts";
import { isLinkToken, newLinkToken } from "./token.ts";

/** The result of one step of {@linkcode Links.prune}. */
interface PruneStep {
  readonly pruned: number;
  /** True if there may be more to delete now. */
  readonly hasMore: boolean;
}

/** Maximum number of valid links of a session. */
const MAX_LINKS = 100;

/** Maximum number of links that are deleted at once. */
const MAX_PRUNED = 500;

/** Time that a link is listed after it has expired. */
const EXPIRED_KEPT_MS = 24 * 3_600_000;

/** Reason why a link is not valid. */
type LinkFault = "unknown" | "revoked" | "expired";

/** The rules of links to the live view. Each method is one round trip. */
export class Links {
  readonly #clock: Core["clock"];
  readonly #store: LinkStore;

  constructor({ clock, db }: Pick<Core, "clock" | "db">) {
    this.#clock = clock;
    this.#store = new LinkStore(db);
  }

  /**
   * Creates a link to the live view of a session that has not ended.
   *
   * @throws {GridError} `session_not_found`, `session_ended`, `live_link_limit`.
   */
  async create(
    { id: sessionId }: { readonly id: string },
    { mode, expiresInSeconds, caller, note = "" }: NewLinkOptions,
  ): Promise<NewLink> {
    requireId(sessionId);
    const now = this.#clock.now();
    const token = newLinkToken();
    const { session, links: [link] } = await this.#store.insert({
      id: uuidv7(),
      sessionId,
      mode,
      tokenHash: await hashText(token),
      createdBy: caller.id,
      note,
      createdAt: now,
      expiresAt: now + Math.ceil(expiresInSeconds * 1_000),
      revokedAt: null,
    }, { owner: findOwnerLimit(caller), maxLinks: MAX_LINKS });
    if (link) return { link, token };
    throw session ? notCreated(session, now) : sessionNotFound(sessionId);
  }

  /** Lists the links of a session, newest first. @throws {GridError} `session_not_found`. */
  async list(
    { id: sessionId }: { readonly id: string },
    caller: Caller,
  ): Promise<readonly LiveLink[]> {
    const owner = findOwnerLimit(caller);
    const { session, links } = await this.#store.list({
      sessionId: requireId(sessionId),
      owner,
    });
    if (!session) throw sessionNotFound(sessionId);
    return links;
  }

  /**
   * Revokes a link. Every server with viewers notices it within 1 s. One that has ended stays unchanged.
   *
   * @throws {GridError} `session_not_found`, `live_link_not_found`.
   */
  async revoke(
    { sessionId, linkId }: LinkRef,
    caller: Caller,
  ): Promise<void> {
    requireId(sessionId);
    if (!isUuid(linkId)) throw linkNotFound(linkId);
    const { session, links } = await this.#store.revoke(
      { sessionId, linkId, owner: findOwnerLimit(caller) },
      caller.id,
      this.#clock.now(),
    );
    if (!session) throw sessionNotFound(sessionId);
    if (links.length === 0) throw linkNotFound(linkId);
  }

  /**
   * Returns the link of a token. No round trip for a text that has not the form of a token.
   *
   * @throws {GridError} `live_link_not_valid` - `reason` is unknown, revoked or expired.
   */
  async open(token: string): Promise<OpenedLink> {
    if (!isLinkToken(token)) throw notValid("unknown");
    const link = await this.#store.findByHash(
      await hashText(token),
    );
    if (!link) throw notValid("unknown");
    const status = findLinkStatus(link, this.#clock.now());
    if (status !== "active") throw notValid(status);
    const { id, sessionId, mode } = link;
    return { id, sessionId, mode, expiresAt: findLinkEnd(link) };
  }

  /** Returns the links among `linkIds` that are no longer valid, and why. One that was deleted has expired. */
  async findEnded(
    linkIds: readonly string[],
  ): Promise<ReadonlyMap<string, "revoked" | "expired">> {
    const ended = new Map<string, "revoked" | "expired">();
    for (const id of linkIds) ended.set(id, "expired");
    const now = this.#clock.now();
    for (const link of await this.#store.find(linkIds)) {
      const status = findLinkStatus(link, now);
      if (status === "active") ended.delete(link.id);
      else ended.set(link.id, status);
    }
    return ended;
  }

  /** Deletes links that expired a day ago, a limited number. */
  async prune(): Promise<PruneStep> {
    const before = this.#clock.now() - EXPIRED_KEPT_MS;
    const pruned = await this.#store.prune(before, MAX_PRUNED);
    return { pruned, hasMore: pruned === MAX_PRUNED };
  }
}

function requireId(sessionId: string): string {
  if (!isUuid(sessionId)) throw sessionNotFound(sessionId);
  return sessionId;
}

function sessionNotFound(id: string): GridError {
  return new GridError(
    sessionProblems.session_not_found,
    `Cannot find session "${id}": there is none with this id, expected one of GET /v1/sessions`,
  );
}

function linkNotFound(id: string): GridError {
  return new GridError(
    liveProblems.live_link_not_found,
    `Cannot find link "${id}": the session has none with this id, expected one of GET /v1/sessions/{id}/live-links`,
  );
}

function notCreated(
  { id, status, expiresAt }: LinkedSession,
  now: number,
): GridError {
  const isOver = expiresAt <= now;
  if (isOver || isTerminal(status)) {
    return new GridError(
      sessionProblems.session_ended,
      `Cannot create a link to session "${id}": it is ${status}${
        isOver ? " and its time is over" : ""
      }, expected one that has not ended`,
      { status_of_session: status },
    );
  }
  return new GridError(
    liveProblems.live_link_limit,
    `Cannot create the link: session "${id}" has ${MAX_LINKS} that are valid, expected fewer; revoke one first`,
  );
}

function notValid(reason: LinkFault): GridError {
  return new GridError(
    liveProblems.live_link_not_valid,
    `Cannot open the live view: the link ${
      reason === "unknown"
        ? "is not known"
        : reason === "revoked"
        ? "was revoked"
        : "has expired"
    }, expected a valid one of POST /v1/sessions/{id}/live-links`,
    { reason },
  );
}
