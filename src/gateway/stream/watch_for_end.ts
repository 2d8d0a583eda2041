import {
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
  STATUS_EVENTS,
} from "../../apps/sessions/status.ts";
import type { Bus } from "../../core/bus.ts";

/** Terminal status by the event that announces it. */
export const END_EVENTS: ReadonlyMap<string, SessionStatus> = new Map(
  SESSION_STATUSES.filter(isTerminal).map((
    status,
  ) => [STATUS_EVENTS[status], status]),
);

/** Returns a signal that is aborted when the session ends, until disposed. */
export function watchForEnd(
  bus: Bus,
  sessionId: string,
): Disposable & { readonly signal: AbortSignal } {
  const ended = new AbortController();
  const subscription = bus.subscribe(({ type, subject }) => {
    if (subject === sessionId && END_EVENTS.has(type)) ended.abort();
  });
  return {
    signal: ended.signal,
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
