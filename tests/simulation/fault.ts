import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** A fault that was injected. */
export interface Injected {
  /** Target of the fault, for the trace. */
  readonly where: string;
  readonly lastsMs: number;
  /** Undone by a later step. */
  readonly end: () => void | Promise<void>;
}

/** Injects one fault, if there is something to inject it into. */
export type Fault = (world: World, random: Random) => Injected | undefined;

/** Over before anybody does anything about it. */
export const SHORT = 3_000;

/** About as long as a lease. */
export const LEASE = 40_000;

/** Longer than everything that waits. */
export const LONG = 160_000;

/** A time about one of `each`. */
export function some(random: Random, ...each: readonly number[]): number {
  return random.pick(each) * random.between(0.5, 1.5);
}
