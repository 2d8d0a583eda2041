import type { Core } from "../../../core/app.ts";
import { isUuid } from "../../../core/text.ts";
import { GridError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { limitLifetime } from "../../../http/stream/lifetime.ts";
import { createPushStream } from "../../../http/stream/push_stream.ts";
import type { StreamClient } from "../../../http/stream/stream_client.ts";
import {
  StreamLimiter,
  type StreamLimits,
} from "../../../http/stream/stream_limiter.ts";
import { requireFound, sessionNotFound } from "../owner_view.ts";
import { sessionProblems } from "../problems.ts";
import { isTerminal } from "../status.ts";
import type { Holder } from "../store/history.ts";
import {
  type FollowedSession,
  type LogPart,
  LogStore,
  type NewLogPart,
  type OpenedSession,
} from "../store/logs.ts";
import { FOLLOW_MS, LogFeed, LOGS_ADDED } from "./log_feed.ts";
import { createEventFormat, createTextFormat } from "./log_format.ts";
import type { LogSubscription } from "./log_subscription.ts";

const log = createLogger("apps", "sessions");

/** A request to follow the output of a session. */
export interface LogStreamRequest extends StreamClient {
  readonly id: string;
  /** Owner that the session must have; undefined means any. */
  readonly owner: string | undefined;
  readonly format: "text" | "events";
  /** The last part that the client has received. */
  readonly after: number | undefined;
}

/** A response with followed output. */
export interface LogStream {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Followed output of sessions, at this server. */
export class SessionLogs {
  readonly #core: Pick<Core, "bus" | "clock" | "stopping">;
  readonly #store: LogStore;
  readonly #feed: LogFeed;
  readonly #limiter: StreamLimiter;

  constructor(
    core: Pick<Core, "bus" | "clock" | "db" | "stopping">,
    limits: StreamLimits,
  ) {
    this.#core = core;
    this.#store = new LogStore(core.db);
    this.#feed = new LogFeed(core, this.#store);
    this.#limiter = new StreamLimiter(limits, tooMany);
  }

  /**
   * Opens a stream of the session's output: the last lines, then what its worker sends, until the session has ended.
   * One round trip.
   *
   * @throws {GridError} `session_not_found`, `too_many_log_streams`.
   */
  async open(request: LogStreamRequest): Promise<LogStream> {
    const { id, owner, caller, after } = request;
    if (!isUuid(id)) throw sessionNotFound(id);
    using stack = new DisposableStack();
    stack.use(this.#limiter.acquire(caller.id));
    // Before the first read, so that no part is missed.
    const { subscription } = stack.use(this.#feed.attach(id));
    const now = this.#core.clock.now();
    const found = await this.#store.open({ id, owner }, {
      follower: this.#feed.follower,
      now,
      until: now + FOLLOW_MS,
      after,
    });
    const session = requireFound(id, found.session);
    const parts = isTerminal(session.status)
      ? chooseLast(session, found.parts, after)
      : found.parts;
    const last = session.position;
    if (isTerminal(session.status)) subscription.end(session);
    else {
      this.#feed.begin(id, last);
      if (!session.isDelivered) this.#wakeWorker(session);
    }
    const format = request.format === "events"
      ? createEventFormat(after ?? Math.max(0, (parts[0]?.seq ?? last + 1) - 1))
      : createTextFormat();
    const lifetime = stack.use(limitLifetime(this.#core, request));
    const owned = stack.move();
    const body = createPushStream({
      clock: this.#core.clock,
      texts: format.texts,
      read: (signal) => readParts(subscription, { parts, last, signal }),
      render: (parts) => format.render(parts),
      signal: lifetime.signal,
      renderEnd: () =>
        format.renderEnd(
          lifetime.signal.aborted ? undefined : subscription.ended,
          lifetime.describeEnd(),
        ),
      onStall: (ms) =>
        log.warning(
          "Log stream of {caller} dropped: its client read nothing for {seconds} s",
          { caller: caller.name, seconds: ms / 1_000 },
        ),
      disconnect: request.disconnect,
      onEnd: () => owned.dispose(),
    });
    return { headers: format.headers, body };
  }

  /**
   * Stores a part of the output of a session, from its worker. Returns false if nothing follows the session, and
   * undefined if the worker does not hold it. One round trip.
   *
   * @throws {GridError} `session_not_found`.
   */
  async append(
    id: string,
    part: NewLogPart,
    holder: Holder,
  ): Promise<boolean | undefined> {
    if (!isUuid(id)) throw sessionNotFound(id);
    const now = this.#core.clock.now();
    const { isFound, isHeld, isFollowed } = await this.#store.append(id, part, {
      holder,
      now,
    });
    if (!isFound) throw sessionNotFound(id);
    if (!isHeld) return undefined;
    if (isFollowed) this.#core.bus.publish({ type: LOGS_ADDED, subject: id });
    return isFollowed;
  }

  /** Ends the long poll of the session's worker, which then gets the command to send output. */
  #wakeWorker({ workerId }: OpenedSession): void {
    if (workerId === null) return;
    this.#core.bus.publish({
      type: "worker_commanded",
      subject: workerId,
      worker_id: workerId,
    });
  }
}

/** Returns what a client gets of a session that has ended: the parts that it misses, else the stored output. */
function chooseLast(
  { id, logs }: OpenedSession,
  parts: readonly LogPart[],
  after: number | undefined,
): readonly LogPart[] {
  if (after !== undefined) return parts;
  if (!logs) return [];
  const text = logs.endsWith("\n") ? logs : `${logs}\n`;
  return [{ seq: 0, sessionId: id, text, omitted: 0, isFirst: true }];
}

/** Yields the parts of a session, each once, until it has ended. */
async function* readParts(
  subscription: LogSubscription,
  { parts, last, signal }: {
    readonly parts: readonly LogPart[];
    readonly last: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly LogPart[], void> {
  if (parts.length > 0) yield parts;
  while (!signal.aborted) {
    const next = await subscription.next(signal);
    const isLast: FollowedSession | undefined = subscription.ended;
    const fresh = next.filter(({ seq }) => seq > last);
    if (fresh.length > 0 && !signal.aborted) yield fresh;
    if (isLast && next.length === 0) return;
  }
}

function tooMany(what: string): GridError {
  return new GridError(
    sessionProblems.too_many_log_streams,
    `Cannot follow the output of another session: ${what}, expected fewer; end one`,
  );
}
