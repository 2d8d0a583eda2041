import { validate } from "uuid";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { type ListPage, toListPage } from "../../http/page.ts";
import type { Session, SessionEvent, SessionMetric } from "./session.ts";
import { isTerminal } from "./status.ts";
import type {
  SessionPage,
  SessionStore,
  SessionTarget,
  Stop,
} from "./store/sessions.ts";
import { sessionProblems } from "./problems.ts";
import type { StatusChange } from "./store/transition.ts";

/** A session with the last of its events and measurements. */
export interface SessionDetail {
  readonly session: Session;
  readonly events: readonly SessionEvent[];
  readonly metrics: readonly SessionMetric[];
}

/**
 * What may be done with sessions that one may see. Each is one round trip; everything about one session is refused with
 * `session_not_found` if there is none, or it is another's.
 */
export interface OwnerView {
  get(id: string): Promise<Session>;
  detail(id: string): Promise<SessionDetail>;
  /** Newest first. */
  list(page: SessionPage): Promise<ListPage<Session>>;
  events(
    id: string,
    after: number,
    limit: number,
  ): Promise<readonly SessionEvent[]>;
  metrics(id: string, limit: number): Promise<readonly SessionMetric[]>;
  logs(id: string): Promise<string>;
  /** Ends it: a pending one at once, a held one by its worker, with `force` in the record at once. */
  requestStop(id: string, stop: Stop): Promise<Session>;
  /** Gives it `minutes` from now, or as long as it was given at first. */
  refresh(id: string, minutes?: number): Promise<Session>;
  /** The only read of the browser's own address. */
  target(id: string): Promise<SessionTarget>;
}

/** Whom changes are told. */
export interface ChangeListeners {
  readonly publish: (changed: readonly StatusChange[]) => void;
  /** Tells the gateway and the worker that it is to end. */
  readonly order: (session: Pick<StatusChange, "id" | "workerId">) => void;
  readonly wake: (workerId: string | null) => void;
}

/** Access to the sessions that `store` knows of. */
export function createOwnerView(
  { clock }: Pick<Core, "clock">,
  store: SessionStore,
  { publish, order, wake }: ChangeListeners,
): OwnerView {
  return {
    async get(id) {
      return found(id, validate(id) ? await store.find(id) : undefined);
    },
    async detail(id) {
      if (!validate(id)) throw sessionNotFound(id);
      const { session, ...rest } = await store.detail(id);
      return { session: found(id, session), ...rest };
    },
    async list(page) {
      return toListPage(await store.list(page), page.limit);
    },
    async events(id, after, limit) {
      if (!validate(id)) throw sessionNotFound(id);
      return found(id, await store.events(id, after, limit));
    },
    async metrics(id, limit) {
      if (!validate(id)) throw sessionNotFound(id);
      return found(id, await store.metrics(id, limit));
    },
    async logs(id) {
      const row = validate(id) ? await store.logs(id) : undefined;
      return found(id, row).logs ?? "";
    },
    async requestStop(id, stop) {
      if (!validate(id)) throw sessionNotFound(id);
      const { session, changed } = await store.stop(id, stop, clock.now());
      publish(changed);
      order(found(id, session));
      return found(id, session);
    },
    async refresh(id, minutes) {
      if (!validate(id)) throw sessionNotFound(id);
      const refreshed = await store.refresh(id, minutes, clock.now());
      const session = found(id, refreshed);
      const isEnding = session.stopRequestedAt !== null;
      if (isEnding || isTerminal(session.status)) throw sessionEnded(session);
      // It learns of its new end with the next heartbeat.
      wake(session.workerId);
      return session;
    },
    async target(id) {
      return found(id, validate(id) ? await store.target(id) : undefined);
    },
  };
}

/** `value`, if there is one. @throws {GridError} `session_not_found`. */
export function found<T>(id: string, value: T | undefined): T {
  if (value === undefined) throw sessionNotFound(id);
  return value;
}

/** The refusal for a session that does not exist, or is not the caller's. */
export function sessionNotFound(id: string): GridError {
  return new GridError(
    sessionProblems.session_not_found,
    `Cannot find session "${id}": there is none with this id, expected one of GET /v1/sessions`,
  );
}

function sessionEnded(
  { id, status, statusReason, stopRequestedAt }: Session,
): GridError {
  return new GridError(
    sessionProblems.session_ended,
    `Cannot refresh session "${id}": it is ${status}${
      stopRequestedAt === null ? "" : " and being ended"
    }, expected one that has not ended`,
    { status_of_session: status, status_reason: statusReason },
  );
}
