import { isUuid } from "../../core/text.ts";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import type { SeriesPage, SeriesQuery } from "../../db/series/reader.ts";
import type { ListPage } from "../../http/page.ts";
import type { ChangePublisher } from "./change_publisher.ts";
import { sessionProblems } from "./problems.ts";
import type { Session, SessionEvent, SessionMetric } from "./session.ts";
import { isTerminal } from "./status.ts";
import type { HistoryStore } from "./store/history.ts";
import type { SessionRef } from "./store/select_session.ts";
import type { SessionPage } from "./store/list_sessions.ts";
import type { SessionStore, SessionTarget } from "./store/sessions.ts";
import type { Stop, StopStore } from "./store/lifecycle/stops.ts";

/** A session with its last events and measurements. */
export interface SessionDetail {
  readonly session: Session;
  readonly events: readonly SessionEvent[];
  readonly metrics: readonly SessionMetric[];
}

/** The stores of a view. */
export interface ViewStores {
  readonly sessions: SessionStore;
  readonly history: HistoryStore;
  readonly stops: StopStore;
}

/**
 * The sessions that a caller may see, and the actions on them. Each method is one round trip.
 *
 * A method for one session throws `session_not_found` if the session does not exist or belongs to another owner.
 */
export class OwnerView {
  readonly #clock: Core["clock"];
  readonly #stores: ViewStores;
  readonly #publisher: ChangePublisher;
  readonly #owner: string | undefined;

  /** @param owner Owner of the sessions. Absent: the view shows the sessions of all owners. */
  constructor(
    { clock }: Pick<Core, "clock">,
    { stores, publisher, owner }: {
      readonly stores: ViewStores;
      readonly publisher: ChangePublisher;
      readonly owner?: string | undefined;
    },
  ) {
    this.#clock = clock;
    this.#stores = stores;
    this.#publisher = publisher;
    this.#owner = owner;
  }

  async get(id: string): Promise<Session> {
    return requireFound(id, await this.#stores.sessions.find(this.#ref(id)));
  }

  async detail(id: string): Promise<SessionDetail> {
    const ref = this.#ref(id);
    const { session, ...rest } = await this.#stores.sessions.detail(ref);
    return { session: requireFound(id, session), ...rest };
  }

  /** Lists sessions, newest first. */
  list(page: SessionPage): Promise<ListPage<Session>> {
    return this.#stores.sessions.list(page, this.#owner);
  }

  async events(
    id: string,
    after: number,
    limit: number,
  ): Promise<readonly SessionEvent[]> {
    const ref = this.#ref(id);
    const events = await this.#stores.history.events(ref, after, limit);
    return requireFound(id, events);
  }

  async metrics(
    id: string,
    query: Omit<SeriesQuery, "id">,
  ): Promise<SeriesPage<SessionMetric>> {
    const ref = this.#ref(id);
    const now = this.#clock.now();
    const page = await this.#stores.history.metrics(ref, query, now);
    return requireFound(id, page);
  }

  /** Returns the last output of the session's browser; empty if there is none. */
  async logs(id: string): Promise<string> {
    const row = await this.#stores.sessions.logs(this.#ref(id));
    return requireFound(id, row).logs ?? "";
  }

  /**
   * Stops a session. A pending session ends at once. A held session is ended by its worker; with `force` its record ends
   * at once.
   */
  async requestStop(id: string, stop: Stop): Promise<Session> {
    const { session, changes } = await this.#stores.stops.stop(
      this.#ref(id),
      stop,
      this.#clock.now(),
    );
    this.#publisher.publish(changes, "request");
    const found = requireFound(id, session);
    this.#publisher.publishStop(found);
    return found;
  }

  /**
   * Moves the end of a session to `minutes` from now, or to its own `timeout_minutes` from now.
   *
   * @throws {GridError} `session_ended`.
   */
  async refresh(id: string, minutes?: number): Promise<Session> {
    const now = this.#clock.now();
    const ref = this.#ref(id);
    const refreshed = await this.#stores.stops.refresh(ref, minutes, now);
    const session = requireFound(id, refreshed);
    const isStopping = session.stopRequestedAt !== null;
    if (isStopping || isTerminal(session.status)) throw sessionEnded(session);
    // The worker receives the new end with its next heartbeat.
    this.#publisher.wakeWorker(session.workerId);
    return session;
  }

  /** Returns the address of the session's browser. No other method reads it. */
  async target(id: string): Promise<SessionTarget> {
    return requireFound(id, await this.#stores.sessions.target(this.#ref(id)));
  }

  #ref(id: string): SessionRef {
    if (!isUuid(id)) throw sessionNotFound(id);
    return { id, owner: this.#owner };
  }
}

/** Returns `value`. @throws {GridError} `session_not_found` - it is undefined. */
export function requireFound<T>(id: string, value: T | undefined): T {
  if (value === undefined) throw sessionNotFound(id);
  return value;
}

/** Creates the error for a session that does not exist, or belongs to another owner. */
export function sessionNotFound(id: string): GridError {
  return new GridError(
    sessionProblems.session_not_found,
    `Cannot find session "${id}": there is none with this id, expected one of GET /v1/sessions`,
  );
}

/** Creates the error for a caller that does not hold the session. */
export function leaseLost(id: string): GridError {
  return new GridError(
    sessionProblems.lease_lost,
    `Cannot record for session "${id}": the fencing token is stale, the session has ended, or another worker holds it; expected the token of the last claim, and the secret and instance of the worker`,
  );
}

function sessionEnded(
  { id, status, statusReason, stopRequestedAt }: Session,
): GridError {
  return new GridError(
    sessionProblems.session_ended,
    `Cannot refresh session "${id}": it is ${status}${
      stopRequestedAt === null ? "" : " and is being stopped"
    }, expected one that has not ended`,
    { status_of_session: status, status_reason: statusReason },
  );
}
