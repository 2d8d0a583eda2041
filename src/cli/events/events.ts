import {
  each,
  type EventFilterQuery,
  type EventWire,
  type GridClient,
} from "../../client/client.ts";
import { isUuid } from "../../core/text.ts";
import { connectClient } from "../config.ts";
import type { Output } from "../output.ts";
import { Shutdown } from "../shutdown.ts";
import type { EventOptions } from "./options.ts";
import { EVENT_COLUMNS, EventLines, toEventRow } from "./render.ts";

/** Maximum number of events on a page. */
const PAGE = 1_000;

/** Prints the last recorded events, oldest first, and with `follow` those that happen until a signal. */
export async function showEvents(
  options: EventOptions,
  output: Output,
): Promise<void> {
  const client = await connectClient(options, output);
  const filter = await toFilter(client, options);
  if (options.follow) return await follow(client, filter, { options, output });
  const events = await listLast(client, filter, options);
  if (options.json) return output.json(events);
  const lines = new EventLines(options, output);
  if (!lines.isNarrow || events.length === 0) {
    return await output.table(EVENT_COLUMNS, events.map(toEventRow), ["data"]);
  }
  for (const event of events) lines.print(event);
}

/** Returns the query of the options. A pool that is named is looked up. */
async function toFilter(
  client: GridClient,
  { type, session, pool, worker, label, since }: EventOptions,
): Promise<EventFilterQuery> {
  return {
    type,
    session_id: session,
    work_pool_id: pool && !isUuid(pool)
      ? (await client.getPool(pool)).id
      : pool,
    worker_id: worker,
    label,
    since,
  };
}

/** Returns the last events before a sequence, oldest first. */
async function listLast(
  client: GridClient,
  filter: EventFilterQuery,
  { limit, before, signal }: {
    readonly limit: number;
    readonly before?: string;
    readonly signal?: AbortSignal;
  },
): Promise<readonly EventWire[]> {
  const events: EventWire[] = [];
  if (limit === 0) return events;
  const query = {
    ...filter,
    order: "desc",
    limit: Math.min(limit, PAGE),
    cursor: before,
  } as const;
  for await (const event of each(client.listEvents, query, { signal })) {
    events.push(event);
    if (events.length === limit) break;
  }
  return events.reverse();
}

/** Prints the last events and then new ones, none twice and none left out, until a signal. */
async function follow(
  client: GridClient,
  filter: EventFilterQuery,
  { options, output }: {
    readonly options: EventOptions;
    readonly output: Output;
  },
): Promise<void> {
  using shutdown = Shutdown.listen();
  const signal = shutdown.stop;
  const lines = new EventLines(options, output);
  try {
    const newest = { order: "desc", limit: 1 } as const;
    const { items } = await client.listEvents(newest, { signal });
    const last = items[0]?.sequence ?? 0;
    const recorded = { limit: options.limit, before: String(last + 1), signal };
    for (const event of await listLast(client, filter, recorded)) {
      lines.print(event);
    }
    const query = { ...filter, last_event_id: last };
    const stream = client.streamEvents(query, {
      signal,
      onLost: ({ message }) =>
        output.progress(`The connection is lost, reconnecting: ${message}`),
      onReconnect: () => output.progress("Connected again"),
    });
    for await (const event of stream) {
      lines.print(event);
      if (output.isReaderGone) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
