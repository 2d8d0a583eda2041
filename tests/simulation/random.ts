/** Numbers that look random and come again with the same seed. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** A number from `min` up to `max`. */
  between(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** A name, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
  /** Time until the next of events that come every `mean` on average. */
  exponential(mean: number): number;
  /** A stream of its own: what one part draws does not shift what another gets. */
  fork(): Random;
}

/** A stream of numbers from a seed (sfc32). */
export function createRandom(seed: number): Random {
  const next = sfc32(seed);
  const int = (min: number, max: number) =>
    min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    between: (min, max) => min + next() * (max - min),
    chance: (probability) => next() < probability,
    pick(items) {
      const item = items[int(0, items.length - 1)];
      if (item === undefined) throw new RangeError("Cannot pick: no items");
      return item;
    },
    weighted: (weights) => weighted(weights, next),
    exponential: (mean) => -mean * Math.log(1 - next()),
    fork: () => createRandom(int(0, 2 ** 32 - 1)),
  };
}

function weighted<K extends string>(
  weights: Readonly<Record<K, number>>,
  next: () => number,
): K {
  const names = Object.keys(weights) as K[]; // Its own keys; TypeScript says string.
  const total = names.reduce((sum, name) => sum + weights[name], 0);
  let left = next() * total;
  for (const name of names) {
    left -= weights[name];
    if (left < 0) return name;
  }
  throw new RangeError("Cannot pick: no weight is above 0");
}

/** @see {@link https://pracrand.sourceforge.net/RNG_engines.txt PractRand: sfc32} */
function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88, 1];
  function next(): number {
    const t = (a + b | 0) + counter | 0;
    counter = counter + 1 | 0;
    a = b ^ b >>> 9;
    b = c + (c << 3) | 0;
    c = (c << 21 | c >>> 11) + t | 0;
    return (t >>> 0) / 2 ** 32;
  }
  for (let round = 0; round < 15; round++) next();
  return next;
}
