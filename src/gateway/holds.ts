import {
  CONTROL_CHANGED,
  HANDOVER_RESOLVED,
  type HandoverManager,
} from "../apps/handover/manager.ts";
import type { SessionManager } from "../apps/sessions/manager.ts";
import type { Bus } from "../core/bus.ts";
import { createLogger, describeError } from "../core/log.ts";

const log = createLogger("gateway", "holds");

/** Dependencies of {@linkcode Holds}. */
export interface HoldsOptions {
  readonly bus: Bus;
  readonly sessions: Pick<SessionManager, "watch">;
  readonly handovers: Pick<HandoverManager, "readHolds">;
  /** Called when the hold of a tracked session has begun, with its message, or has ended. */
  readonly onChange: (sessionId: string, message: string | undefined) => void;
}

/** A session of which this server has, or is about to have, streams. */
interface TrackedSession {
  users: number;
  /** The request whose hold is on. */
  handoverId: string | undefined;
  /** Reports changes by other servers. */
  watch: Disposable;
  /** Set while the hold is read. */
  reading: Promise<void> | undefined;
  isStale: boolean;
}

/** The hold of a session until disposed. */
export interface TrackedHold extends Disposable {
  /** Resolves when the hold is known. Never rejects. */
  readonly known: Promise<void>;
  /** Message of the hold that is on; undefined without one. */
  readonly message: string | undefined;
}

/**
 * The holds of the sessions of which this server has streams. The database has the state: it is read when an event of
 * this server or the poll of changes by others, within a second, reports that it may have changed.
 */
export class Holds implements Disposable {
  readonly #options: HoldsOptions;
  readonly #sessions = new Map<string, TrackedSession>();
  readonly #subscription: Disposable;

  constructor(options: HoldsOptions) {
    this.#options = options;
    this.#subscription = options.bus.subscribe(({ type, subject }) => {
      const session = type === CONTROL_CHANGED || type === HANDOVER_RESOLVED
        ? this.#sessions.get(subject)
        : undefined;
      if (session) void this.#read(subject, session);
    });
  }

  /** Tracks the hold of a session. It is read, in one round trip, if a person may have control. */
  track(sessionId: string, mayBeHeld: boolean): TrackedHold {
    const session = this.#sessions.get(sessionId) ?? this.#add(sessionId);
    session.users++;
    const known = mayBeHeld
      ? this.#read(sessionId, session)
      : session.reading ?? Promise.resolve();
    return {
      known,
      get message() {
        return renderMessage(session.handoverId);
      },
      [Symbol.dispose]: () => {
        if (--session.users > 0) return;
        session.watch[Symbol.dispose]();
        this.#sessions.delete(sessionId);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #add(sessionId: string): TrackedSession {
    const session: TrackedSession = {
      users: 0,
      handoverId: undefined,
      watch: this.#options.sessions.watch("hold", sessionId),
      reading: undefined,
      isStale: false,
    };
    this.#sessions.set(sessionId, session);
    return session;
  }

  /** Reads the hold of a session, and again if it may have changed since. Never rejects. */
  #read(sessionId: string, session: TrackedSession): Promise<void> {
    session.isStale = true;
    return session.reading ??= this.#readUntilFresh(sessionId, session);
  }

  async #readUntilFresh(
    sessionId: string,
    session: TrackedSession,
  ): Promise<void> {
    try {
      while (session.isStale) {
        session.isStale = false;
        const holds = await this.#options.handovers.readHolds([sessionId]);
        this.#apply(sessionId, session, holds.get(sessionId));
      }
    } catch (error) {
      // The poll reports the change again.
      log.warn("Hold cannot be read, trying again: {error}", {
        session_id: sessionId,
        error: describeError(error),
      });
    } finally {
      session.reading = undefined;
    }
  }

  #apply(
    sessionId: string,
    session: TrackedSession,
    handoverId: string | undefined,
  ): void {
    if (session.users === 0 || session.handoverId === handoverId) return;
    const { sessions, onChange } = this.#options;
    session.handoverId = handoverId;
    session.watch[Symbol.dispose]();
    session.watch = handoverId === undefined
      ? sessions.watch("hold", sessionId)
      : sessions.watch("handover", handoverId);
    onChange(sessionId, renderMessage(handoverId));
  }
}

function renderMessage(handoverId: string | undefined): string | undefined {
  return handoverId &&
    `held: a person controls the browser (hand-over ${handoverId})`;
}
