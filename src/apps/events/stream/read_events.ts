import type { EventFilter, StoredEvent } from "../event.ts";
import type { EventPage, EventPageQuery } from "../store/list_events.ts";
import type { EventFeed } from "./feed.ts";

/** Maximum number of events of a page that is read from the database. */
const PAGE_LIMIT = 200;

/** A reader of events. */
export interface EventReader {
  readonly filter: EventFilter;
  /** Sequence after which the events begin. */
  readonly after: number;
  readonly list: (query: EventPageQuery) => Promise<EventPage>;
  /** Ends the events. */
  readonly signal: AbortSignal;
}

/**
 * Yields the recorded events after a sequence, then new ones, in order, each once and none left out.
 *
 * The feed keeps new events while the recorded ones are read, up to the sequence at which it continues. If more wait
 * than the subscription keeps, they are read from the database too.
 */
export async function* readEvents(
  feed: EventFeed,
  { filter, after, list, signal }: EventReader,
): AsyncGenerator<readonly StoredEvent[], void> {
  using attachment = feed.attach(filter);
  const { subscription } = attachment;
  let last = after;
  while (!signal.aborted) {
    const until = await attachment.restart(signal);
    for (let cursor = last; cursor < until && !signal.aborted;) {
      const page = await list({
        ...filter,
        order: "asc",
        cursor,
        limit: PAGE_LIMIT,
      });
      const items = page.items.filter(({ sequence }) => sequence <= until);
      cursor = page.nextCursor ?? until;
      if (items.length > 0) yield items;
    }
    last = Math.max(last, until);
    for (;;) {
      const events = await subscription.next(signal);
      if (!events || signal.aborted) break;
      last = events.at(-1)?.sequence ?? last;
      yield events;
    }
  }
}
