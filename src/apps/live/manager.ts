import { OnDemand } from "../../async/on_demand.ts";
import type { Core } from "../../core/app.ts";
import type { Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import type { Links } from "./links.ts";
import type {
  LinkRef,
  LiveLink,
  NewLink,
  NewLinkOptions,
  OpenedLink,
} from "./live_link.ts";
import { liveProblems } from "./problems.ts";

export type { LiveLink, NewLink, OpenedLink } from "./live_link.ts";

/** Event of the bus of this process when a link is revoked here; its subject is the link. */
export const LINK_REVOKED = "live_link_revoked";

/** Minimum time between two passes that delete links. */
const PRUNE_INTERVAL_MS = 60_000;

/** Dependencies of a {@linkcode LiveManager}. */
type LiveCore = Pick<Core, "bus" | "clock" | "db" | "settings">;

/** Links to the live view of sessions. Each method is one round trip; the first call loads the rules and queries. */
export class LiveManager {
  readonly #core: LiveCore;
  readonly #links: OnDemand<Links>;
  #prunedAt = -Infinity;

  constructor(core: LiveCore) {
    this.#core = core;
    this.#links = new OnDemand(async () => {
      const { Links } = await import("./links.ts");
      return new Links(core);
    });
  }

  /** @throws {GridError} `live_view_off`. */
  requireOn(): void {
    if (this.#core.settings.live_view) return;
    throw new GridError(
      liveProblems.live_view_off,
      "Cannot show the session: the live view is off, expected true in the setting live_view",
    );
  }

  /**
   * Creates a link to the live view of a session that has not ended.
   *
   * @throws {GridError} `live_view_off`, `session_not_found`, `session_ended`, `live_link_limit`.
   */
  async create(
    session: { readonly id: string },
    options: NewLinkOptions,
  ): Promise<NewLink> {
    this.requireOn();
    return await (await this.#links.get()).create(session, options);
  }

  /** Lists the links of a session, newest first. @throws {GridError} `session_not_found`. */
  async list(
    session: { readonly id: string },
    caller: Caller,
  ): Promise<readonly LiveLink[]> {
    return await (await this.#links.get()).list(session, caller);
  }

  /**
   * Revokes a link. Every server with viewers notices it within 1 s. One that has ended stays unchanged.
   *
   * @throws {GridError} `session_not_found`, `live_link_not_found`.
   */
  async revoke(ref: LinkRef, caller: Caller): Promise<void> {
    await (await this.#links.get()).revoke(ref, caller);
    this.#core.bus.publish({ type: LINK_REVOKED, subject: ref.linkId });
  }

  /**
   * Returns the link of a token. No round trip for a text that has not the form of a token.
   *
   * @throws {GridError} `live_view_off`, `live_link_not_valid` - `reason` is unknown, revoked or expired.
   */
  async openLink(token: string): Promise<OpenedLink> {
    this.requireOn();
    return await (await this.#links.get()).open(token);
  }

  /**
   * Returns the links among `linkIds` that are no longer valid, and why. One that was deleted has expired. Servers call it
   * for the links of their viewers.
   */
  async findEnded(
    linkIds: readonly string[],
  ): Promise<ReadonlyMap<string, "revoked" | "expired">> {
    if (linkIds.length === 0) return new Map();
    return await (await this.#links.get()).findEnded(linkIds);
  }

  /** Deletes links that expired a day ago, a limited number in each pass. Returns their number. For the reconciler. */
  async prune(): Promise<number> {
    const startedAt = this.#core.clock.monotonic();
    if (startedAt - this.#prunedAt < PRUNE_INTERVAL_MS) return 0;
    const { pruned, hasMore } = await (await this.#links.get()).prune();
    if (!hasMore) this.#prunedAt = startedAt;
    return pruned;
  }
}
