import { systemClock } from "../../src/async/clock.ts";

/** Pause between two checks of state outside this process. */
const LOOK_MS = 50;

/** How {@linkcode eventually} waits. */
export interface Patience {
  /** @default {30_000} */
  readonly withinMs?: number;
}

/**
 * Resolves with the first result of `check` that is neither undefined nor false. A check that throws has no result,
 * because its target may be down.
 *
 * Waits for changes of other processes that send no event.
 *
 * @param what The expected state as a sentence.
 * @throws {Error} With the sentence and the last result or error, after the timeout.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  { withinMs = 30_000 }: Patience = {},
): Promise<T> {
  const deadline = systemClock.monotonic() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await check();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (systemClock.monotonic() > deadline) {
      throw new Error(
        `Waited ${withinMs / 1_000} s for this: ${what}. Last: ${last}`,
        { cause: last },
      );
    }
    await systemClock.sleep(LOOK_MS);
  }
}

/** Resolves when `check` finds nothing. @throws {Error} With what is there still. */
export async function gone(
  what: string,
  check: () => Promise<readonly unknown[]>,
  patience: Patience = {},
): Promise<void> {
  let last: readonly unknown[] = [];
  await eventually(`no ${what} left`, async () => {
    last = await check();
    return last.length === 0;
  }, patience).catch((cause) => {
    throw new Error(`Left over: ${last.join("; ")}`, { cause });
  });
}
