import type {
  SessionManager,
  SessionTarget,
} from "../../apps/sessions/manager.ts";
import type { Core } from "../../core/app.ts";
import { createLogger, describeError } from "../../core/log.ts";
import { every } from "../../async/every.ts";
import { KeyedQueue } from "../../async/keyed_queue.ts";
import { CLOSE_REASONS, type CloseReason } from "./close_frame.ts";
import { toCloseReason } from "./explain_end.ts";
import { END_EVENTS } from "./watch_for_end.ts";
import { startPinging } from "./start_pinging.ts";
import type { JoinedStream } from "./joined_stream.ts";

const log = createLogger("gateway", "streams");

/** Interval of the activity records, several times shorter than the time after which an ephemeral session counts as abandoned. */
const ACTIVITY_MS = 4_000;

/** Pause after an activity record has failed. */
const RETRY_MS = 1_000;

/** The session that a stream belongs to. */
export type StreamTarget = Pick<SessionTarget, "id" | "ephemeral">;

interface OpenStream {
  readonly splice: JoinedStream;
  /** True if the session ends with its client. */
  readonly ephemeral: boolean;
  /** True while the start of the stream is not recorded. */
  isUnrecorded: boolean;
  /** Byte count of the last recorded activity; -1 before the first. */
  recordedBytes: number;
}

/** The open streams of this server: records their activity, pings their clients and closes them when their session ends. */
export class OpenStreams {
  readonly #core: Core;
  readonly #sessions: SessionManager;
  readonly #open = new Map<string, Set<OpenStream>>();
  /** Ephemeral sessions whose client waits for its connection. */
  readonly #awaited = new Set<string>();
  /** Records of streams that start and end, in order for each session. */
  readonly #records = new KeyedQueue();
  /** The activity record that is being written. */
  #writing: Promise<void> = Promise.resolve();

  constructor(core: Core, sessions: SessionManager) {
    this.#core = core;
    this.#sessions = sessions;
  }

  /** Adds a stream. Resolves when it has ended and its end is recorded. Never rejects. */
  async add(
    { id: sessionId, ephemeral }: StreamTarget,
    splice: JoinedStream,
  ): Promise<void> {
    const stream: OpenStream = {
      splice,
      ephemeral,
      isUnrecorded: false,
      recordedBytes: -1,
    };
    const streams = this.#open.get(sessionId) ?? new Set();
    this.#open.set(sessionId, streams.add(stream));
    const startedAt = this.#core.clock.monotonic();
    using _watch = this.#sessions.watch("end", sessionId);
    // Data does not wait for the record.
    void this.#record(sessionId, () => this.#recordStart(sessionId, stream));
    const { by, bytesIn, bytesOut } = await splice.ended;
    streams.delete(stream);
    if (streams.size === 0) this.#open.delete(sessionId);
    const data = {
      by,
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      duration_ms: Math.round(this.#core.clock.monotonic() - startedAt),
    };
    await this.#record(sessionId, async () => {
      // An activity record that is being written still reports the client as connected.
      await this.#writing;
      // The database counts connections by these records: with a missing start the count would reach 0 too early.
      const all = [stream, ...this.#open.get(sessionId) ?? []];
      for (const each of all.filter(({ isUnrecorded }) => isUnrecorded)) {
        await this.#recordStart(sessionId, each);
      }
      await this.#sessions.activity.recordDisconnected(sessionId, data);
    });
  }

  /** Reports the client of an ephemeral session as present until disposed, while it waits for its connection. */
  markClientSeen(sessionId: string): Disposable {
    this.#awaited.add(sessionId);
    return { [Symbol.dispose]: () => void this.#awaited.delete(sessionId) };
  }

  /** Marks the end of the browser as expected: it ends before its session is recorded as ended. */
  #expectEnd(sessionId: string): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      splice.expectEnd(CLOSE_REASONS.sessionEnded);
    }
  }

  /** Closes the streams of a session. */
  close(sessionId: string, reason: CloseReason): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      splice.close(reason);
    }
  }

  /** Holds the clients of a session, with the message of the errors that they get; undefined releases them. */
  setHeld(sessionId: string, message: string | undefined): void {
    for (const { splice } of this.#open.get(sessionId) ?? []) {
      if (message === undefined) splice.release();
      else splice.hold(message);
    }
  }

  /** Starts the records, the pings and the closing of ended sessions' streams. Disposal closes all streams. */
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
        log.warn("Activity record failed, retrying: {error}", { error }),
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

  *#splices(): Iterable<JoinedStream> {
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
    ).filter(({ stream, bytes }) => stream.recordedBytes !== bytes);
    const active = [...new Set(samples.map(({ id }) => id))];
    const clientsSeen = [...this.#awaited, ...this.#listEphemeral()];
    if (active.length + clientsSeen.length === 0) return;
    await this.#sessions.activity.recordActivity({ active, clientsSeen });
    // A failed record is repeated with the next one.
    for (const { stream, bytes } of samples) stream.recordedBytes = bytes;
  }

  #listEphemeral(): readonly string[] {
    return [...this.#open].filter(([, streams]) =>
      [...streams].some(({ ephemeral }) => ephemeral)
    ).map(([id]) => id);
  }

  async #recordStart(sessionId: string, stream: OpenStream): Promise<void> {
    stream.isUnrecorded = true;
    await this.#sessions.activity.recordConnected(sessionId);
    stream.isUnrecorded = false;
    // The record counts as activity: a stream without data needs no activity record.
    stream.recordedBytes = Math.max(stream.recordedBytes, 0);
  }

  /** Runs the records of a session one at a time. Never rejects. */
  async #record(sessionId: string, write: () => Promise<void>): Promise<void> {
    await this.#records.run(sessionId, write).catch((error: unknown) =>
      log.warn("Connection record failed: {error}", {
        session_id: sessionId,
        error: describeError(error),
      })
    );
  }
}
