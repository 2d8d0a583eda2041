import type { Clock } from "../../async/clock.ts";
import { every } from "../../async/every.ts";
import type { JoinedStream } from "./joined_stream.ts";

/** Number of checks within the idle time: a ping is late by at most a fifth of it. */
const CHECKS = 10;

/** Time of a stream's last activity or ping. */
interface Seen {
  readonly bytes: number;
  readonly at: number;
}

/** Options of {@linkcode startPinging}. */
export interface PingOptions {
  readonly clock: Clock;
  /** Idle time in both directions after which a client is pinged. 0 disables pings. */
  readonly seconds: number;
  /** Returns the open streams. */
  readonly streams: () => Iterable<JoinedStream>;
}

/**
 * Pings the clients of idle streams until disposed, so that HTTP proxies do not close them. One timer serves all
 * streams, and no data waits for it.
 */
export function startPinging(
  { clock, seconds, streams }: PingOptions,
): AsyncDisposable {
  const seen = new WeakMap<JoinedStream, Seen>();
  const quietMs = seconds * 1_000;
  if (quietMs === 0) {
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  return every(() => {
    const now = clock.monotonic();
    for (const stream of streams()) {
      const bytes = stream.countBytes();
      const last = seen.get(stream);
      const isQuiet = last?.bytes === bytes;
      if (isQuiet && now - last.at < quietMs) continue;
      if (isQuiet) stream.ping();
      seen.set(stream, { bytes, at: now });
    }
    return Promise.resolve();
  }, { clock, periodMs: quietMs / CHECKS });
}
