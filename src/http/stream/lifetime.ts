import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";

/** Age at which a stream ends, so that clients move to other servers. */
const MAX_AGE_MS = 3_600_000;

/** Random share of the age, so that clients do not reconnect together. */
const JITTER = 0.2;

/** Interval at which the key of a stream is checked. Keys in use are cached, so that it costs no round trip. */
const KEY_CHECK_MS = 10_000;

/** The lifetime of a stream, until it is disposed. */
export interface StreamLifetime extends Disposable {
  /** Ends the stream: at its maximum age, when its key is no longer valid, the server stops, or the client has gone. */
  readonly signal: AbortSignal;
  /** Returns the reason of an end in good order. */
  describeEnd(): string;
}

/** Limits the lifetime of a stream. */
export function limitLifetime(
  { clock, stopping }: {
    readonly clock: Clock;
    readonly stopping: AbortSignal;
  },
  { signal, isKeyValid }: {
    /** Aborted when the client has gone. */
    readonly signal: AbortSignal;
    /** Reports whether the key of the request is still valid. */
    readonly isKeyValid: () => Promise<boolean>;
  },
): StreamLifetime {
  const rejected = new AbortController();
  const ageMs = MAX_AGE_MS * (1 - JITTER * Math.random());
  const age = deadline(clock, ageMs, stopping, rejected.signal, signal);
  void watchKey(isKeyValid, {
    clock,
    signal: age.signal,
    onInvalid: () => rejected.abort(),
  });
  return {
    signal: age.signal,
    describeEnd() {
      if (stopping.aborted) return "the server stops";
      return rejected.signal.aborted
        ? "its key is no longer valid"
        : "the stream has reached its maximum age; reconnect with Last-Event-ID";
    },
    [Symbol.dispose]: () => age[Symbol.dispose](),
  };
}

/** Checks a key until it is no longer valid, or the stream has ended. Never rejects. */
async function watchKey(
  isKeyValid: () => Promise<boolean>,
  { clock, signal, onInvalid }: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onInvalid: () => void;
  },
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(KEY_CHECK_MS, signal).catch(() => {});
    // Without the database, the next check decides.
    if (signal.aborted || await isKeyValid().catch(() => true)) continue;
    onInvalid();
  }
}
