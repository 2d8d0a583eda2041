import { uuidv7 } from "uuidv7";
import { deadline } from "../../async/deadline.ts";
import type { Core } from "../../core/app.ts";
import type { Caller } from "../../core/caller.ts";
import type { SecretPosition } from "../../core/database.ts";
import { isTransient } from "../../core/errors.ts";
import { isUuid } from "../../core/text.ts";
import { findOwnerLimit } from "../../http/auth/access.ts";
import type { LiveManager, NewLink } from "../live/manager.ts";
import type { SessionManager } from "../sessions/manager.ts";
import {
  isTerminal,
  SESSION_STATUSES,
  STATUS_EVENTS,
} from "../sessions/status.ts";
import type { Handover } from "./handover.ts";
import {
  handoverNotFound,
  handoverNotOpen,
  notAccepted,
  sessionNotFound,
} from "./reject.ts";
import type { HandoverInput } from "./schemas.ts";
import {
  CONTROL_CHANGED,
  HANDOVER_REQUESTED,
  HANDOVER_RESOLVED,
  HANDOVER_UNCHECKED,
  publishEnd,
} from "./signals.ts";
import type { HandoverResult } from "./status.ts";
import type { SessionRef } from "./store/conditions.ts";
import { RequestStore } from "./store/requests.ts";
import { type Resolution, ResolutionStore } from "./store/resolve.ts";

/** Pause of a waiting request after the database was busy or unavailable. */
const RETRY_MS = 1_000;

const ENDS: ReadonlySet<string> = new Set(
  SESSION_STATUSES.filter(isTerminal).map((status) => STATUS_EVENTS[status]),
);

/** A new request. */
export interface NewHandover {
  readonly handover: Handover;
  /** Token of the link for the person; absent if the live view is off. */
  readonly token?: string | undefined;
}

/** A session for a caller; without one, for the program itself. */
export interface CallerRef {
  readonly id: string;
  readonly caller?: Caller | undefined;
}

/** The end of an open request. */
export interface RequestEnd {
  readonly result: HandoverResult;
  readonly note?: string | undefined;
  readonly by: string;
}

/** The managers of other apps that hand-overs need. */
export interface HandoverNeighbours {
  readonly sessions: Pick<SessionManager, "watch">;
  readonly live: Pick<LiveManager, "create" | "revoke">;
}

/** Dependencies of {@linkcode Requests}. */
export type HandoverCore = Pick<
  Core,
  "bus" | "clock" | "db" | "secrets" | "settings"
>;

/** The rules of requests to people. */
export class Requests {
  readonly #core: HandoverCore;
  readonly #neighbours: HandoverNeighbours;
  readonly #store: RequestStore;
  readonly #resolutions: ResolutionStore;

  constructor(core: HandoverCore, neighbours: HandoverNeighbours) {
    this.#core = core;
    this.#neighbours = neighbours;
    this.#store = new RequestStore(core.db);
    this.#resolutions = new ResolutionStore(core.db);
  }

  /** See `HandoverManager.request`. */
  async request(
    { id, caller }: Required<CallerRef> & { readonly caller: Caller },
    input: HandoverInput,
  ): Promise<NewHandover> {
    const { bus, clock, secrets } = this.#core;
    const ref = toRef({ id, caller });
    const fault = notAccepted(id, await this.#store.check(ref));
    if (fault) throw fault;
    // Before the request, whose event lets webhooks send it.
    const created = await this.#createLink(id, caller, input);
    const handoverId = uuidv7();
    const outcome = await this.#store.insert({
      ...ref,
      handoverId,
      reason: input.reason,
      hold: input.hold,
      untilUrl: input.until?.url ?? null,
      untilSelector: input.until?.selector ?? null,
      by: caller.id,
      linkId: created?.link.id ?? null,
      linkToken: created
        ? await secrets.seal(created.token, toTokenPosition(handoverId))
        : null,
      timeoutMs: Math.round(input.timeout_seconds * 1_000),
      now: clock.now(),
    });
    if (!outcome.stored) {
      if (created) {
        const linkRef = { sessionId: id, linkId: created.link.id };
        await this.#neighbours.live.revoke(linkRef, caller);
      }
      throw notAccepted(id, outcome) ?? sessionNotFound(id);
    }
    bus.publish({ type: HANDOVER_REQUESTED, subject: id });
    bus.publish({ type: CONTROL_CHANGED, subject: id });
    if (input.until) bus.publish({ type: HANDOVER_UNCHECKED, subject: id });
    return { handover: outcome.stored, token: created?.token };
  }

  /** See `HandoverManager.findLinkToken`. */
  async findLinkToken(handoverId: string): Promise<string | undefined> {
    const sealed = await this.#store.findToken(handoverId);
    if (!sealed) return undefined;
    return await this.#core.secrets.open(sealed, toTokenPosition(handoverId));
  }

  /** See `HandoverManager.wait`. */
  async wait(ref: CallerRef, signal: AbortSignal): Promise<Handover> {
    const { bus, clock } = this.#core;
    using changes = bus.latch(({ type, subject }) =>
      subject === ref.id && (type === HANDOVER_RESOLVED || ENDS.has(type))
    );
    let last = await this.#get(ref);
    if (last.status !== "open" || signal.aborted) return last;
    using _watch = this.#neighbours.sessions.watch("handover", last.id);
    for (let isRead = true;;) {
      if (isRead) await changes.next(signal);
      else {
        using pause = deadline(clock, RETRY_MS, signal);
        await changes.next(pause.signal);
      }
      try {
        last = await this.#get(ref, last.id);
        isRead = true;
      } catch (error) {
        if (!isTransient(error)) throw error;
        isRead = false;
      }
      if (last.status !== "open" || signal.aborted) return last;
    }
  }

  /** Ends the open request of a session. @throws {GridError} `session_not_found`, `handover_not_open`. */
  async end(
    ref: CallerRef,
    { note = null, ...end }: Omit<RequestEnd, "note"> & {
      readonly note?: string | undefined | null;
    },
  ): Promise<Handover> {
    const { isFound, resolved } = await this.resolve(ref, { ...end, note });
    if (!isFound) throw sessionNotFound(ref.id);
    if (!resolved) throw handoverNotOpen(ref.id);
    return resolved;
  }

  /** Ends the open request of a session, if there is one. */
  async resolve(
    ref: CallerRef,
    end: Omit<Resolution, "id" | "owner" | "now">,
  ): Promise<{ readonly isFound: boolean; readonly resolved?: Handover }> {
    const { bus, clock } = this.#core;
    const resolution = { ...toRef(ref), ...end, now: clock.now() };
    const outcome = await this.#resolutions.resolve(resolution);
    if (outcome.resolved) publishEnd(bus, outcome.resolved);
    return outcome;
  }

  /** Ends requests whose timeout has passed. */
  async resolveDue(): Promise<
    { readonly count: number; readonly hasUnchecked: boolean }
  > {
    const { bus, clock } = this.#core;
    const { resolved, expired, hasUnchecked } = await this.#resolutions
      .resolveDue(clock.now());
    for (const handover of resolved) publishEnd(bus, handover);
    for (const id of expired) {
      bus.publish({ type: CONTROL_CHANGED, subject: id });
    }
    return { count: resolved.length, hasUnchecked };
  }

  async #get(ref: CallerRef, handoverId?: string): Promise<Handover> {
    const { isFound, handover } = await this.#store.find({
      ...toRef(ref),
      handoverId,
    });
    if (!isFound) throw sessionNotFound(ref.id);
    if (!handover) throw handoverNotFound(ref.id);
    return handover;
  }

  /** Creates the link for the person, unless the live view is off. */
  async #createLink(
    id: string,
    caller: Caller,
    { reason, timeout_seconds }: HandoverInput,
  ): Promise<NewLink | undefined> {
    if (!this.#core.settings.live_view) return undefined;
    return await this.#neighbours.live.create({ id }, {
      mode: "control",
      expiresInSeconds: timeout_seconds,
      caller,
      note: reason,
    });
  }
}

/** Returns the place of the encrypted token of a request's link. */
function toTokenPosition(handoverId: string): SecretPosition {
  return ["handovers", "link_token", handoverId];
}

function toRef({ id, caller }: CallerRef): SessionRef {
  if (!isUuid(id)) throw sessionNotFound(id);
  return { id, owner: caller && findOwnerLimit(caller) };
}
