/** Durations of `work` on an input of half and of full size, and their ratio. */
export interface TimeRatio {
  readonly ratio: number;
  readonly smallMs: number;
  readonly largeMs: number;
}

/** The work to time. */
export interface Timed<T> {
  readonly make: (size: number) => T;
  readonly work: (input: T) => unknown;
  readonly size: number;
  /** Reports whether no further round is needed. */
  readonly isEnough: (ratio: number, largeMs: number) => boolean;
}

/** Maximum number of runs of each size. */
const MAX_ROUNDS = 20;

/**
 * Times `work` on `make(size)` and `make(size / 2)` alternately until `isEnough`, and compares the shortest times:
 * other processes only make a run longer.
 */
export function timeRatio<T>(
  { make, work, size, isEnough }: Timed<T>,
): TimeRatio {
  const small = make(Math.floor(size / 2));
  const large = make(size);
  const measureTime = (input: T) => {
    const startedAt = performance.now();
    work(input);
    return performance.now() - startedAt;
  };
  let smallMs = Infinity;
  let largeMs = Infinity;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    largeMs = Math.min(largeMs, measureTime(large));
    smallMs = Math.min(smallMs, measureTime(small));
    if (isEnough(largeMs / smallMs, largeMs)) break;
  }
  return { ratio: largeMs / smallMs, smallMs, largeMs };
}
