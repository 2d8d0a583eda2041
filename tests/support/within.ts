import { systemClock } from "../../src/async/clock.ts";
import { deadline } from "../../src/async/deadline.ts";
import { abortable } from "../../src/async/abortable.ts";

/**
 * The outcome of work that may never settle.
 *
 * @throws {Error} With `what` is expected, a sentence, when it takes longer than `ms`. The work goes on.
 */
export async function within<T>(
  work: Promise<T>,
  { what, ms }: { readonly what: string; readonly ms: number },
): Promise<T> {
  using patience = deadline(systemClock, ms);
  return await abortable(work, patience.signal).catch((error) => {
    if (!patience.signal.aborted) throw error;
    throw new Error(`Waited ${ms / 1_000} s for this: ${what}`);
  });
}
