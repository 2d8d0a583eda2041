import type { Core } from "../../../core/app.ts";
import { GridError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { limitLifetime } from "../../../http/stream/lifetime.ts";
import type { StreamClient } from "../../../http/stream/stream_client.ts";
import {
  StreamLimiter,
  type StreamLimits,
} from "../../../http/stream/stream_limiter.ts";
import type { EventFilter } from "../event.ts";
import type { EventManager } from "../manager.ts";
import { eventProblems } from "../problems.ts";
import { readLastSequence } from "../store/read_new.ts";
import { createEventStream } from "./event_stream.ts";
import { EventFeed } from "./feed.ts";
import { readEvents } from "./read_events.ts";

const log = createLogger("apps", "events");

/** A request for a stream. */
export interface StreamRequest extends StreamClient {
  readonly filter: EventFilter;
  /**
   * Sequence of the last event that the client has received. Without it, the stream begins at the time of the filter,
   * otherwise with the next event.
   */
  readonly after: number | undefined;
}

/** The open event streams of this server. They end when it stops. */
export class EventStreams {
  readonly #core: Core;
  readonly #manager: Pick<EventManager, "list">;
  readonly #limiter: StreamLimiter;
  readonly #feed: EventFeed;

  constructor(
    core: Core,
    manager: Pick<EventManager, "list">,
    limits: StreamLimits,
  ) {
    this.#core = core;
    this.#manager = manager;
    this.#limiter = new StreamLimiter(limits, tooMany);
    this.#feed = new EventFeed(core);
  }

  /**
   * Opens a stream. It contains every event that is recorded after it is opened. At most one round trip.
   *
   * @throws {GridError} `too_many_event_streams`.
   */
  async open(
    { caller, filter, disconnect, ...request }: StreamRequest,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { clock, db } = this.#core;
    const after = request.after ??
      (filter.since === undefined ? await readLastSequence(db) : 0);
    const slot = this.#limiter.acquire(caller.id);
    const lifetime = limitLifetime(this.#core, request);
    return createEventStream({
      clock,
      after,
      read: (signal) =>
        readEvents(this.#feed, {
          filter,
          after,
          list: (query) => this.#manager.list(query),
          signal,
        }),
      signal: lifetime.signal,
      describeEnd: () => lifetime.describeEnd(),
      onStall: (ms) =>
        log.warning(
          "Event stream of {caller} dropped: its client read nothing for {seconds} s",
          { caller: caller.name, seconds: ms / 1_000 },
        ),
      disconnect,
      onEnd: () => {
        lifetime[Symbol.dispose]();
        slot[Symbol.dispose]();
      },
    });
  }
}

function tooMany(what: string): GridError {
  return new GridError(
    eventProblems.too_many_event_streams,
    `Cannot open another event stream: ${what}, expected fewer; end one, or use one for several types`,
  );
}
