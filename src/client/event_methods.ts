import type { EventWire } from "../apps/events/schemas.ts";
import { type EventStreamOptions, followStream } from "./event_stream.ts";
import type { Page, PageQuery } from "./pages.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Selects events. */
export interface EventFilterQuery {
  /** Types or patterns such as `session.*`, separated by commas. */
  readonly type?: string | undefined;
  /** Id of a session. */
  readonly session_id?: string | undefined;
  /** Id of a work pool. */
  readonly work_pool_id?: string | undefined;
  /** Id of a worker. */
  readonly worker_id?: string | undefined;
  /** A label of the session as NAME=VALUE. */
  readonly label?: string | undefined;
  /** ISO 8601 time from which on events are returned. */
  readonly since?: string | undefined;
}

/** Selects events to list. */
export interface EventQuery extends EventFilterQuery, PageQuery {
  /** `asc`: oldest first. @default {"asc"} */
  readonly order?: "asc" | "desc" | undefined;
}

/** Selects events to stream. */
export interface EventStreamQuery extends EventFilterQuery {
  /** Sequence of the last event that was received. Without it and `since`, the stream begins with the next event. */
  readonly last_event_id?: string | number | undefined;
}

/** Endpoints of events. */
export interface EventMethods {
  /** Lists events in the order of their sequence. */
  listEvents(
    query?: EventQuery,
    options?: CallOptions,
  ): Promise<Page<EventWire>>;
  /**
   * Yields events as they happen, in order, each once and none left out. It ends when `signal` is aborted.
   *
   * A connection that is lost is opened again after the last event that was received. Until it has been open once, and
   * if the server rejects it, the error is thrown instead.
   */
  streamEvents(
    query?: EventStreamQuery,
    options?: EventStreamOptions,
  ): AsyncGenerator<EventWire, void, undefined>;
}

const EVENTS = "/v1/events";

/** Creates the methods over `transport`. */
export function createEventMethods(transport: Transport): EventMethods {
  return {
    listEvents: (query, options) =>
      transport.json("GET", EVENTS, { ...options, query: { ...query } }),
    streamEvents: ({ last_event_id, ...filter } = {}, options = {}) =>
      followStream<EventWire, void>(
        {
          open: (lastId, signal) =>
            transport.stream(`${EVENTS}/stream`, {
              ...options,
              signal,
              query: { ...filter },
              headers: lastId === undefined ? {} : { "last-event-id": lastId },
            }),
          lastId: last_event_id?.toString(),
          read: (_, data) => ({ item: JSON.parse(data) }),
        },
        options,
      ),
  };
}
