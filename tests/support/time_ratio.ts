/** How much longer `work` takes on an input of twice the size. */
export interface TimeRatio {
  readonly ratio: number;
  readonly smallMs: number;
  readonly largeMs: number;
}

/** Shortest time that says something: below it the clock and the collector do. */
const LEAST_MS = 5;

/** Most runs of each size. */
const MAX_ROUNDS = 12;

/**
 * Times `work` on `make(size)` and `make(size / 2)`, each several times, in turn, and compares the shortest times: other
 * processes only make a time longer. Short work is repeated until it can be timed. Stops when the ratio is at most
 * `most`.
 */
export function timeRatio<T>(
  { make, work, size, most }: {
    readonly make: (size: number) => T;
    readonly work: (input: T) => unknown;
    readonly size: number;
    readonly most: number;
  },
): TimeRatio {
  const small = make(Math.floor(size / 2));
  const large = make(size);
  const times = (input: T, count: number) => {
    const startedAt = performance.now();
    for (let done = 0; done < count; done++) work(input);
    return performance.now() - startedAt;
  };
  let repeats = 1;
  while (times(small, repeats) < LEAST_MS && repeats < 1e6) repeats *= 2;
  let smallMs = Infinity;
  let largeMs = Infinity;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    smallMs = Math.min(smallMs, times(small, repeats));
    largeMs = Math.min(largeMs, times(large, repeats));
    if (round > 0 && largeMs / smallMs <= most) break;
  }
  return { ratio: largeMs / smallMs, smallMs, largeMs };
}
