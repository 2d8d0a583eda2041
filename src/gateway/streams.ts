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

/** How often it is written who is there and what has moved: some times before an ephemeral session counts as abandoned. */
const PRESENCE_MS = 4_000;

/** Pause after a failure to write it. */
const RETRY_MS = 1_000;

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
  readonly #attended = new Set<string>();

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
    using _watch = this.#sessions.watch("end", sessionId);
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

  /** Says, until disposed, that the client of an ephemeral session is there. */
  attend(sessionId: string): Disposable {
    this.#attended.add(sessionId);
    return { [Symbol.dispose]: () => void this.#attended.delete(sessionId) };
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

  /** The browser will end before the session does: no crash, then. */
  #expectEnd(sessionId: string): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      splice.expectEnd(CLOSE_CODES.goingAway, "session ended");
    }
  }

  /** Ends the streams of a session. */
  close(sessionId: string, code: number, reason: string): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      splice.close(code, reason);
    }
  }

  /** Writes who is there, and ends the streams of sessions that end, until disposed: then all of them end. */
  start(): AsyncDisposable {
    const { bus, clock } = this.#core;
    const subscription = bus.subscribe(({ type, subject }) => {
      if (END_EVENTS.has(type)) {
        this.close(subject, CLOSE_CODES.goingAway, "session ended");
      } else if (type === "session_stopping") this.#expectEnd(subject);
    });
    const loop = every(() => this.#writePresence(), {
      clock,
      periodMs: PRESENCE_MS,
      retryMs: RETRY_MS,
      onFailure: (error) =>
        log.warn("Cannot write who is there: {error}", { error }),
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

  async #writePresence(): Promise<void> {
    const looks = [...this.#open].flatMap(([id, streams]) =>
      [...streams].map((stream) => ({
        id,
        stream,
        bytes: stream.splice.bytes(),
      }))
    ).filter(({ stream, bytes }) => stream.seenBytes !== bytes);
    const active = [...new Set(looks.map(({ id }) => id))];
    const attended = [...this.#attended];
    if (active.length + attended.length === 0) return;
    await this.#sessions.recordPresence({ active, attended });
    // Only what is written is seen.
    for (const { stream, bytes } of looks) stream.seenBytes = bytes;
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
