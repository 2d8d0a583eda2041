import { OnDemand } from "../../async/on_demand.ts";
import type { Caller } from "../../core/caller.ts";
import { isUuid } from "../../core/text.ts";
import type { Control } from "../sessions/status.ts";
import type { Handover } from "./handover.ts";
import type {
  HandoverCore,
  HandoverNeighbours,
  NewHandover,
  Requests,
} from "./requests.ts";
import type { HandoverInput } from "./schemas.ts";
import { CONTROL_CHANGED, HANDOVER_UNCHECKED } from "./signals.ts";
import type { PersonResult } from "./status.ts";
import type { CheckStore, LeasedCondition } from "./store/checks.ts";
import type { ControlStore } from "./store/control.ts";

export type { Handover } from "./handover.ts";
export type { LeasedCondition } from "./store/checks.ts";
export {
  CONTROL_CHANGED,
  HANDOVER_REQUESTED,
  HANDOVER_RESOLVED,
  HANDOVER_UNCHECKED,
} from "./signals.ts";

/** State of a session for live viewers. */
export interface ControlState {
  readonly control: Control;
  /** The open request; null without one. */
  readonly handover: {
    readonly id: string;
    readonly reason: string;
    /** In milliseconds. */
    readonly expiresAt: number | null;
  } | null;
}

/** The end of a request by a person. */
export interface Finish {
  readonly result: PersonResult;
  readonly note?: string | undefined;
  /** Id of the key or link. */
  readonly by: string;
}

/** A session for a caller: a client uses its own sessions only. */
export interface SessionOfCaller {
  readonly id: string;
  readonly caller: Caller;
}

/** Time after which a viewer's control ends unless its server records it again. */
const CONTROL_MS = 15_000;

/** Rules and queries, which a server loads when it uses them first. */
interface Parts {
  readonly requests: Requests;
  readonly control: ControlStore;
  readonly checks: CheckStore;
}

/**
 * Requests to people to take control of sessions, and the side that controls them.
 *
 * A request gives control to the person at once, and its end gives it back to the client. Each method is one round trip
 * unless it says more.
 */
export class HandoverManager {
  readonly #core: HandoverCore;
  readonly #parts: OnDemand<Parts>;

  constructor(core: HandoverCore, neighbours: HandoverNeighbours) {
    this.#core = core;
    this.#parts = new OnDemand(() => loadParts(core, neighbours));
  }

  /**
   * Asks a person to take control of a running session. Three round trips, with the link for the person.
   *
   * @throws {GridError} `session_not_found`, `session_not_running`, `session_ended`, `handover_open` - with its id,
   *   `live_link_limit`.
   */
  async request(
    session: SessionOfCaller,
    input: HandoverInput,
  ): Promise<NewHandover> {
    return await (await this.#parts.get()).requests.request(session, input);
  }

  /** Returns the token of the link of an open request, for webhooks; undefined without one. */
  async findLinkToken(handoverId: string): Promise<string | undefined> {
    return await (await this.#parts.get()).requests.findLinkToken(handoverId);
  }

  /**
   * Returns the newest request of a session as soon as it has ended, or in its present state when `signal` is aborted.
   * Two reads if it is open at first and ends.
   *
   * @throws {GridError} `session_not_found`, `handover_not_found`.
   */
  async wait(session: SessionOfCaller, signal: AbortSignal): Promise<Handover> {
    return await (await this.#parts.get()).requests.wait(session, signal);
  }

  /** Withdraws the open request. @throws {GridError} `session_not_found`, `handover_not_open`. */
  async cancel(session: SessionOfCaller): Promise<Handover> {
    const { requests } = await this.#parts.get();
    const by = session.caller.id;
    return await requests.end(session, { result: "cancelled", by });
  }

  /** Ends the open request as the person says. @throws {GridError} `session_not_found`, `handover_not_open`. */
  async finish(sessionId: string, end: Finish): Promise<Handover> {
    return await (await this.#parts.get()).requests.end({ id: sessionId }, end);
  }

  /** As {@linkcode finish}, for a caller with a key. */
  async finishFor(
    session: SessionOfCaller,
    end: Omit<Finish, "by">,
  ): Promise<Handover> {
    const { requests } = await this.#parts.get();
    return await requests.end(session, { ...end, by: session.caller.id });
  }

  /**
   * Records that a viewer takes control of a running session without a request (`shared`), or gives it back (`client`).
   * Changes nothing while a request is open. Shared control ends after 15 s unless it is recorded again, so that the end
   * of a server does not leave it indefinitely.
   */
  async setControl(
    sessionId: string,
    control: Exclude<Control, "human">,
    by: string,
  ): Promise<void> {
    if (!isUuid(sessionId)) return;
    const { bus, clock } = this.#core;
    const now = clock.now();
    const change = { id: sessionId, control, by, now, until: now + CONTROL_MS };
    const isChanged = await (await this.#parts.get()).control.set(change);
    if (isChanged) bus.publish({ type: CONTROL_CHANGED, subject: sessionId });
  }

  /** Returns the control states and open requests of sessions. A session that does not exist is absent. */
  async states(
    sessionIds: readonly string[],
  ): Promise<ReadonlyMap<string, ControlState>> {
    if (sessionIds.length === 0) return new Map();
    const rows = await (await this.#parts.get()).control.read(sessionIds);
    return new Map(
      rows.map(({ id, control, handoverId, reason, expiresAt }) => [id, {
        control,
        handover: handoverId === null || reason === null
          ? null
          : { id: handoverId, reason, expiresAt },
      }]),
    );
  }

  /** Returns the ids of the open requests that hold the clients of sessions, by session. See {@linkcode CONTROL_CHANGED}. */
  async readHolds(
    sessionIds: readonly string[],
  ): Promise<ReadonlyMap<string, string>> {
    if (sessionIds.length === 0) return new Map();
    const { control } = await this.#parts.get();
    const rows = await control.readHolds(sessionIds);
    return new Map(
      rows.map(({ sessionId, handoverId }) => [sessionId, handoverId]),
    );
  }

  /**
   * Ends requests whose timeout has passed, a limited number, and returns their number; gives back control that was not
   * recorded again. For the reconciler. If a condition
   * waits for a server that checks it, {@linkcode HANDOVER_UNCHECKED} is published.
   */
  async resolveDue(): Promise<number> {
    const { requests } = await this.#parts.get();
    const { count, hasUnchecked } = await requests.resolveDue();
    if (hasUnchecked) {
      this.#core.bus.publish({ type: HANDOVER_UNCHECKED, subject: "" });
    }
    return count;
  }

  /** Renews the leases of a server on conditions, takes those that no server has, and returns the conditions. */
  async leaseConditions(
    server: string,
    leaseMs: number,
  ): Promise<readonly LeasedCondition[]> {
    const now = this.#core.clock.now();
    const { checks } = await this.#parts.get();
    return await checks.lease({ server, now, until: now + leaseMs });
  }

  /** Ends the leases of a server on conditions. */
  async releaseConditions(server: string): Promise<void> {
    await (await this.#parts.get()).checks.release(server);
  }

  /** Stores why the condition of a request cannot be checked; null if it can. */
  async recordConditionError(id: string, error: string | null): Promise<void> {
    await (await this.#parts.get()).checks.recordError(id, error);
  }

  /** Ends a request whose condition is met, if it is still open. */
  async meetCondition(
    { id, sessionId }: Pick<LeasedCondition, "id" | "sessionId">,
  ): Promise<void> {
    const { requests } = await this.#parts.get();
    await requests.resolve({ id: sessionId }, {
      handoverId: id,
      result: "condition_met",
      by: null,
    });
  }
}

async function loadParts(
  core: HandoverCore,
  neighbours: HandoverNeighbours,
): Promise<Parts> {
  const [{ Requests }, { ControlStore }, { CheckStore }] = await Promise.all([
    import("./requests.ts"),
    import("./store/control.ts"),
    import("./store/checks.ts"),
  ]);
  return {
    requests: new Requests(core, neighbours),
    control: new ControlStore(core.db),
    checks: new CheckStore(core.db),
  };
}
