import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { EventWire } from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { listen } from "../live/grid_events.ts";
import { now } from "../live/now.ts";
import {
  type Activity,
  countByMinute,
  COUNTED,
  MINUTE_MS,
  MINUTES,
} from "./count_by_minute.ts";

/** Most pages of events that are loaded; the chart begins later on a grid with more events. */
const MAX_PAGES = 5;

const PAGE_SIZE = 1_000;

type Counted = Pick<EventWire, "sequence" | "type" | "timestamp">;

/** Returns the activity of the last hour, which goes on with each event; undefined until it is loaded. */
export function useActivity(): Activity | undefined {
  const [events, setEvents] = useState<readonly Counted[]>();
  useEffect(() => {
    let controller = new AbortController();
    let added: Counted[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    function flush(): void {
      timer = undefined;
      const batch = added;
      added = [];
      setEvents((known) => known && merge(known, batch));
    }
    function load(): void {
      controller.abort();
      controller = new AbortController();
      const { signal } = controller;
      loadEvents(signal).then(
        (loaded) => setEvents((known) => merge(loaded, known ?? [])),
        () => {}, // The next reset loads it again.
      );
    }
    load();
    const stopListening = listen({
      onEvent(event) {
        if (!COUNTED.has(event.type)) return;
        added.push(event);
        timer ??= setTimeout(flush, 250);
      },
      onReset: load,
    });
    return () => {
      stopListening();
      controller.abort();
      clearTimeout(timer);
    };
  }, []);
  const minute = useComputed(() => Math.floor(now.value / MINUTE_MS)).value;
  return useMemo(() => events && countByMinute(events, minute), [
    events,
    minute,
  ]);
}

async function loadEvents(signal: AbortSignal): Promise<readonly Counted[]> {
  const since = new Date(Date.now() - MINUTES * MINUTE_MS).toISOString();
  const type = [...COUNTED].join(",");
  const events: Counted[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { items, next_cursor } = await client.listEvents({
      type,
      since,
      order: "desc",
      limit: PAGE_SIZE,
      cursor,
    }, { signal });
    events.push(...items);
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return events;
}

/** Returns the events of both lists, each once, without those that are too old to be shown. */
function merge(
  known: readonly Counted[],
  added: readonly Counted[],
): readonly Counted[] {
  const begin = Date.now() - (MINUTES + 1) * MINUTE_MS;
  const all = new Map(
    [...known, ...added].map((event) => [event.sequence, event]),
  );
  return [...all.values()].filter(({ timestamp }) =>
    Date.parse(timestamp) >= begin
  );
}
