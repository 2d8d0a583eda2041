import type {
  SessionManager,
  SessionTarget,
} from "../../apps/sessions/manager.ts";
import {
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
  STATUS_EVENTS,
} from "../../apps/sessions/status.ts";
import type { Core } from "../../core/app.ts";
import { describeError, logOf } from "../../core/log.ts";
import { every } from "../../async/every.ts";
import { CLOSE_REASONS, type CloseReason } from "./close_frame.ts";
import { toCloseReason } from "./explain_end.ts";
import { startPinging } from "./start_pinging.ts";
import type { Splice } from "./splice.ts";

const log = logOf("gateway", "streams");

/** How often it is written who is there and what has moved: some times before an ephemeral session counts as abandoned. */
const ACTIVITY_MS = 4_000;

/** Pause after a failure to write it. */
const RETRY_MS = 1_000;

/** Events after which a session has no browser, and its status then. */
const END_EVENTS: ReadonlyMap<string, SessionStatus> = new Map(
  SESSION_STATUSES.filter(isTerminal).map((
    status,
  ) => [STATUS_EVENTS[status], status]),
);

/** With whom a stream is. */
export type StreamTarget = Pick<SessionTarget, "id" | "ephemeral">;

interface OpenStream {
  readonly splice: Splice;
  /** Its client is that of an ephemeral session. */
  readonly ephemeral: boolean;
  /** That it has come could not be recorded yet. */
  isUnrecorded: boolean;
  seenBytes: number;
}

/** The open streams of this server, by session. */
export class OpenStreams {
  readonly #core: Core;
  readonly #sessions: SessionManager;
  readonly #open = new Map<string, Set<OpenStream>>();
  readonly #seen = new Set<string>();
  readonly #records = new Map<string, Promise<void>>();
  #writing: Promise<void> = Promise.resolve();

  constructor(core: Core, sessions: SessionManager) {
    this.#core = core;
    this.#sessions = sessions;
  }

  /** Watches over a stream until it ends. Resolves then. */
  async add(
    { id: sessionId, ephemeral }: StreamTarget,
    splice: Splice,
  ): Promise<void> {
    const stream: OpenStream = {
      splice,
      ephemeral,
      isUnrecorded: false,
      seenBytes: -1,
    };
    const streams = this.#open.get(sessionId) ?? new Set();
    this.#open.set(sessionId, streams.add(stream));
    const startedAt = this.#core.clock.monotonic();
    using _watch = this.#sessions.watch("end", sessionId);
    // The data path does not wait for the record of it.
    void this.#enqueueRecord(
      sessionId,
      () => this.#recordArrival(sessionId, stream),
    );
    const { by, bytesIn, bytesOut } = await splice.ended;
    streams.delete(stream);
    if (streams.size === 0) this.#open.delete(sessionId);
    const data = {
      by,
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      duration_ms: Math.round(this.#core.clock.monotonic() - startedAt),
    };
    await this.#enqueueRecord(sessionId, async () => {
      // What is being written says still that the client is there.
      await this.#writing;
      // Clients are counted by what is recorded: with an arrival missing, the last of them would seem gone too soon.
      const all = [stream, ...this.#open.get(sessionId) ?? []];
      for (const each of all.filter(({ isUnrecorded }) => isUnrecorded)) {
        await this.#recordArrival(sessionId, each);
      }
      await this.#sessions.recordDisconnected(sessionId, data);
    });
  }

  /** Says, until disposed, that the client of an ephemeral session is there, which is not connected yet. */
  markClientSeen(sessionId: string): Disposable {
    this.#seen.add(sessionId);
    return { [Symbol.dispose]: () => void this.#seen.delete(sessionId) };
  }

  /** Watches for the end of a session that nobody is connected with yet. */
  watchForEnd(
    sessionId: string,
  ): Disposable & { readonly signal: AbortSignal } {
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
      splice.expectEnd(CLOSE_REASONS.sessionEnded);
    }
  }

  /** Ends the streams of a session. */
  close(sessionId: string, reason: CloseReason): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      splice.close(reason);
    }
  }

  /** Writes who is there, and ends the streams of sessions that end, until disposed: then all of them end. */
  start(): AsyncDisposable {
    const { bus, clock, settings } = this.#core;
    const pings = startPinging({
      clock,
      seconds: settings.websocket_ping_seconds,
      streams: () => this.#splices(),
    });
    const subscription = bus.subscribe(({ type, subject }) => {
      const status = END_EVENTS.get(type);
      if (status) this.close(subject, toCloseReason(status));
      else if (type === "session_stopping") this.#expectEnd(subject);
    });
    const loop = every(() => {
      const writing = this.#writeActivity();
      this.#writing = writing.catch(() => {});
      return writing;
    }, {
      clock,
      periodMs: ACTIVITY_MS,
      retryMs: RETRY_MS,
      onFailure: (error) =>
        log.warn("Cannot write who is there: {error}", { error }),
    });
    return {
      [Symbol.asyncDispose]: async () => {
        subscription[Symbol.dispose]();
        await pings[Symbol.asyncDispose]();
        for (const id of [...this.#open.keys()]) {
          this.close(id, CLOSE_REASONS.serverStops);
        }
        await loop[Symbol.asyncDispose]();
      },
    };
  }

  *#splices(): Iterable<Splice> {
    for (const streams of this.#open.values()) {
      for (const { splice } of streams) yield splice;
    }
  }

  async #writeActivity(): Promise<void> {
    const samples = [...this.#open].flatMap(([id, streams]) =>
      [...streams].map((stream) => ({
        id,
        stream,
        bytes: stream.splice.countBytes(),
      }))
    ).filter(({ stream, bytes }) => stream.seenBytes !== bytes);
    const active = [...new Set(samples.map(({ id }) => id))];
    const clientsSeen = [...this.#seen, ...this.#ephemeralSessions()];
    if (active.length + clientsSeen.length === 0) return;
    await this.#sessions.recordActivity({ active, clientsSeen });
    // Only what is written is seen.
    for (const { stream, bytes } of samples) stream.seenBytes = bytes;
  }

  #ephemeralSessions(): readonly string[] {
    return [...this.#open].filter(([, streams]) =>
      [...streams].some(({ ephemeral }) => ephemeral)
    ).map(([id]) => id);
  }

  async #recordArrival(sessionId: string, stream: OpenStream): Promise<void> {
    stream.isUnrecorded = true;
    await this.#sessions.recordConnected(sessionId);
    stream.isUnrecorded = false;
    // Else the next look says that it is there.
    stream.seenBytes = Math.max(stream.seenBytes, 0);
  }

  /** One after the other for each session, in the order of what has come to pass. Never rejects. */
  #enqueueRecord(sessionId: string, write: () => Promise<void>): Promise<void> {
    const before = this.#records.get(sessionId) ?? Promise.resolve();
    const record = before.then(write).catch((error) =>
      log.warn("Cannot record who is connected: {error}", {
        session_id: sessionId,
        error: describeError(error),
      })
    ).finally(() => {
      if (this.#records.get(sessionId) === record) {
        this.#records.delete(sessionId);
      }
    });
    this.#records.set(sessionId, record);
    return record;
  }
}
