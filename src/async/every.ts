import type { Clock } from "./clock.ts";

/** Options of {@linkcode every}. */
export interface LoopOptions {
  readonly clock: Clock;
  /** Pause between the end of one step and the start of the next. */
  readonly periodMs: number;
  /** Constant pause after a failed step. @default {the period, doubled with each failure up to 8 times the period} */
  readonly retryMs?: number;
  /** Maximum random extension of a pause, as a share of it from 0 to 1, so that replicas do not act in step. @default {0} */
  readonly jitter?: number;
  /** Called with the first of consecutive failures. */
  readonly onFailure?: (error: unknown) => void;
}

/** Maximum pause after failures, as a multiple of the period. */
const MAX_BACKOFF = 8;

/**
 * Runs `step` immediately and then periodically, until disposed. The pause is longer after a failure.
 *
 * Disposal aborts the signal of the running step and waits for its end.
 */
export function every(
  step: (signal: AbortSignal) => Promise<unknown>,
  options: LoopOptions,
): AsyncDisposable {
  const stop = new AbortController();
  const done = run(step, options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException("Loop ended", "AbortError"));
      await done;
    },
  };
}

async function run(
  step: (signal: AbortSignal) => Promise<unknown>,
  { clock, periodMs, retryMs, jitter = 0, onFailure }: LoopOptions,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await step(signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (failures++ === 0) onFailure?.(error);
    }
    const pause = retryMs !== undefined && failures > 0
      ? retryMs
      : periodMs * Math.min(2 ** failures, MAX_BACKOFF);
    await clock.sleep(pause * (1 + jitter * Math.random()), signal).catch(
      () => {},
    );
  }
}
