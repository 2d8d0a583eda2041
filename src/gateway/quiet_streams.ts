import type { Clock } from "../core/clock.ts";
import { every } from "../core/loop.ts";
import type { Splice } from "./splice.ts";

/** How often streams are checked within the time of silence: a ping is late by a fifth of it at most. */
const CHECKS = 10;

/** When a stream was last seen to move, or was pinged. */
interface Seen {
  readonly bytes: number;
  readonly at: number;
}

/** How {@linkcode startPinging} works. */
export interface PingOptions {
  readonly clock: Clock;
  /** Silence in both directions after which a client is pinged. 0: never. */
  readonly seconds: number;
  /** The streams that are open now. */
  readonly streams: () => Iterable<Splice>;
}

/**
 * Pings the clients of streams on which nothing has passed for some time, so that HTTP proxies do not take them for
 * idle, until disposed. One timer serves all streams, and none of their bytes waits for it.
 */
export function startPinging(
  { clock, seconds, streams }: PingOptions,
): AsyncDisposable {
  const seen = new WeakMap<Splice, Seen>();
  const quietMs = seconds * 1_000;
  if (quietMs === 0) {
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  return every(() => {
    const now = clock.monotonic();
    for (const stream of streams()) {
      const bytes = stream.bytes();
      const last = seen.get(stream);
      const isQuiet = last?.bytes === bytes;
      if (isQuiet && now - last.at < quietMs) continue;
      if (isQuiet) stream.ping();
      seen.set(stream, { bytes, at: now });
    }
    return Promise.resolve();
  }, { clock, periodMs: quietMs / CHECKS });
}
