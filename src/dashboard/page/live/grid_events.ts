import { type ReadonlySignal, signal } from "@preact/signals";
import type { EventWire } from "../../../client/client.ts";
import { systemClock } from "../../../async/clock.ts";
import { client } from "../api/client.ts";

/** State of the connection that brings events. */
export type Connection = "connecting" | "live" | "lost";

/** A receiver of events. */
export interface EventListener {
  onEvent(event: EventWire): void;
  /** Called when events may have been missed: the receiver loads its state again. */
  onReset(): void;
}

/** Pause before the stream is opened again after a failure. */
const RETRY_MS = 2_000;

const current = signal<Connection>("connecting");
const listeners = new Set<EventListener>();

/** State of the connection. */
export const connection: ReadonlySignal<Connection> = current;

/** Calls `listener` for each event until the returned function is called. */
export function listen(listener: EventListener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Follows the events of the grid until the returned function is called. */
export function followEvents(): () => void {
  let controller = new AbortController();
  void follow(controller.signal);
  // A page that returns from the background, or a machine from sleep, does not wait for the next attempt.
  function retryNow(): void {
    if (document.hidden || current.value === "live") return;
    controller.abort();
    controller = new AbortController();
    void follow(controller.signal);
  }
  document.addEventListener("visibilitychange", retryNow);
  addEventListener("online", retryNow);
  return () => {
    document.removeEventListener("visibilitychange", retryNow);
    removeEventListener("online", retryNow);
    controller.abort();
  };
}

async function follow(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await followOnce(signal);
    } catch {
      if (!signal.aborted) current.value = "lost";
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => {});
  }
}

/** Rejects if the stream cannot be opened, or is rejected. */
async function followOnce(signal: AbortSignal): Promise<void> {
  // The stream begins here, so that what is loaded from now on misses no event.
  const { items: [last] } = await client.listEvents(
    { order: "desc", limit: 1 },
    { signal },
  );
  open();
  const events = client.streamEvents(
    { last_event_id: last?.sequence ?? 0 },
    { signal, onLost: () => current.value = "lost", onReconnect: open },
  );
  for await (const event of events) {
    for (const listener of [...listeners]) listener.onEvent(event);
  }
}

function open(): void {
  current.value = "live";
  for (const listener of [...listeners]) listener.onReset();
}
