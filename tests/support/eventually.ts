import { systemClock } from "../../src/async/clock.ts";

/** How often what is outside this process is looked at. */
const LOOK_MS = 50;

/** How {@linkcode eventually} waits. */
export interface Patience {
  /** @default {30_000} */
  readonly withinMs?: number;
}

/**
 * Resolves with the first answer of `look` that is neither undefined nor false. A look that throws is a look without
 * an answer: what is looked at may be down.
 *
 * For what other processes do, of which no event tells.
 *
 * @param what A sentence of what is expected.
 * @throws {Error} With the sentence and the last answer or error, when it takes too long.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  { withinMs = 30_000 }: Patience = {},
): Promise<T> {
  const deadline = systemClock.monotonic() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await look();
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

/** Resolves when `look` finds nothing. @throws {Error} With what is there still. */
export async function gone(
  what: string,
  look: () => Promise<readonly unknown[]>,
  patience: Patience = {},
): Promise<void> {
  let last: readonly unknown[] = [];
  await eventually(`no ${what} left`, async () => {
    last = await look();
    return last.length === 0;
  }, patience).catch((cause) => {
    throw new Error(`Left over: ${last.join("; ")}`, { cause });
  });
}
