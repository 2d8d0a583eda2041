import type { Clock } from "./clock.ts";

/** How {@linkcode every} runs. */
export interface LoopOptions {
  readonly clock: Clock;
  /** Time between the end of one step and the start of the next. */
  readonly periodMs: number;
  /** Pause after a failure, for what must not wait long once it is possible again; by default failures lengthen the pause. */
  readonly retryMs?: number;
  /** Share of the period, 0 to 1, by which it is lengthened at random, so that replicas do not act in step. @default {0} */
  readonly jitter?: number;
  /** Told of the first failure of a streak. */
  readonly onFailure?: (error: unknown) => void;
}

/** Longest pause between failing steps, as a multiple of the period. */
const MAX_BACKOFF = 8;

/**
 * Runs `step` again and again, the first time at once, until disposed. A failing step is tried again after a longer pause.
 *
 * Disposal aborts the signal that `step` was given and waits for it to end.
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
