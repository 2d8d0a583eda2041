import type { SessionManager } from "../apps/sessions/manager.ts";
import {
  EVENT_OF_STATUS,
  isTerminal,
  SESSION_STATUSES,
} from "../apps/sessions/status.ts";
import type { Core } from "../core/app.ts";
import { describeError, logOf } from "../core/log.ts";
import { every } from "../core/loop.ts";
import { CLOSE_CODES } from "./close_frame.ts";
import type { Splice } from "./splice.ts";

const log = logOf("gateway", "streams");

/** How often activity is written. */
const ACTIVITY_MS = 5_000;

/** Events after which a session has no browser any more. */
const END_EVENTS: ReadonlySet<string> = new Set(
  SESSION_STATUSES.filter(isTerminal).map((status) => EVENT_OF_STATUS[status]),
);

interface OpenStream {
  readonly splice: Splice;
  seenBytes: number;
}

/** The open streams of this server, by session. */
export class Streams {
  readonly #core: Core;
  readonly #sessions: SessionManager;
  readonly #open = new Map<string, Set<OpenStream>>();

  constructor(core: Core, sessions: SessionManager) {
    this.#core = core;
    this.#sessions = sessions;
  }

  /** Watches over a stream until it ends. Resolves then. */
  async add(sessionId: string, splice: Splice): Promise<void> {
    const stream: OpenStream = { splice, seenBytes: -1 };
    const streams = this.#open.get(sessionId) ?? new Set();
    this.#open.set(sessionId, streams.add(stream));
    const startedAt = this.#core.clock.monotonic();
    // The data path does not wait for the record of it.
    void this.#record(sessionId, "client_connected", {});
    const { by, bytesIn, bytesOut } = await splice.ended;
    streams.delete(stream);
    if (streams.size === 0) this.#open.delete(sessionId);
    await this.#record(sessionId, "client_disconnected", {
      by,
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      duration_ms: Math.round(this.#core.clock.monotonic() - startedAt),
    });
  }

  /** Watches for the end of a session that nobody is connected with yet. */
  endOf(sessionId: string): Disposable & { readonly signal: AbortSignal } {
    const ended = new AbortController();
    const subscription = this.#core.bus.subscribe(({ type, subject }) => {
      if (subject === sessionId && END_EVENTS.has(type)) ended.abort();
    });
    return {
      signal: ended.signal,
      [Symbol.dispose]: () => subscription[Symbol.dispose](),
    };
  }

  /** Ends the streams of a session. */
  close(sessionId: string, code: number, reason: string): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      splice.close(code, reason);
    }
  }

  /** Writes activity, and ends the streams of sessions that end, until disposed: then all of them end. */
  start(): AsyncDisposable {
    const { bus, clock } = this.#core;
    const subscription = bus.subscribe(({ type, subject }) => {
      if (END_EVENTS.has(type)) {
        this.close(subject, CLOSE_CODES.goingAway, "session ended");
      }
    });
    const loop = every(() => this.#writeActivity(), {
      clock,
      periodMs: ACTIVITY_MS,
      onFailure: (error) =>
        log.warn("Cannot write activity: {error}", { error }),
    });
    return {
      [Symbol.asyncDispose]: async () => {
        subscription[Symbol.dispose]();
        for (const id of [...this.#open.keys()]) {
          this.close(id, CLOSE_CODES.goingAway, "server stops");
        }
        await loop[Symbol.asyncDispose]();
      },
    };
  }

  async #writeActivity(): Promise<void> {
    const now = this.#core.clock.now();
    const active = [...this.#open].filter(([, streams]) =>
      [...streams].filter(hasMoved).length > 0
    );
    await this.#sessions.recordActivity(
      new Map(active.map(([id]) => [id, now])),
    );
  }

  /** Never rejects. */
  async #record(
    sessionId: string,
    event: "client_connected" | "client_disconnected",
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    try {
      await this.#sessions.recordEvent(sessionId, event, data);
    } catch (error) {
      log.warn("Cannot record {event}: {error}", {
        event,
        session_id: sessionId,
        error: describeError(error),
      });
    }
  }
}

/** Whether bytes have passed since the last look. */
function hasMoved(stream: OpenStream): boolean {
  const bytes = stream.splice.bytes();
  const moved = bytes !== stream.seenBytes;
  stream.seenBytes = bytes;
  return moved;
}
