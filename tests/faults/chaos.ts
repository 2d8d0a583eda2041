import fc from "fast-check";
import { systemClock } from "../../src/async/clock.ts";
import { ApiError } from "../../src/client/api_error.ts";
import type { GridClient } from "../../src/client/client.ts";
import { LOCAL } from "../support/chaos_grid.ts";
import {
  assertCleanEnd,
  CLEAN_MS,
  cleanAgain,
  strays,
} from "../support/settle.ts";
import { type Fault, listFaults } from "./faults.ts";
import { type Load, startLoad } from "./load.ts";
import { watchOwnership } from "./ownership.ts";
import { type Scene, setScene } from "./scene.ts";

/** Duration and order of the faults. */
export interface ChaosOptions {
  /** Decides the order of the faults. */
  readonly seed: number;
  /** Faults are injected as long as less time has passed; each once at least. */
  readonly forMs: number;
  readonly print: (line: string) => void;
}

/** Result of a run. */
export interface Figures {
  injected: number;
  survived: number;
  accepted: number;
  served: number;
  lost: number;
  leaked: number;
  longestMs: number;
}

/**
 * Faults in turn, in a grid that users work with all the time. After each, within 30 s, every user is served again and
 * nothing is left of any session that is over.
 *
 * @throws {Error} At the first fault after which that does not hold; the figures so far are printed in any case.
 */
export async function runChaos(
  { seed, forMs, print }: ChaosOptions,
): Promise<Figures> {
  const figures: Figures = {
    injected: 0,
    survived: 0,
    accepted: 0,
    served: 0,
    lost: 0,
    leaked: 0,
    longestMs: 0,
  };
  const startedAt = systemClock.monotonic();
  const isOver = () => systemClock.monotonic() - startedAt > forMs;
  await using scene = await setScene();
  const { grid, second } = scene;
  await using ownership = watchOwnership(grid);
  const load = startLoad({
    clients: [grid.client, second.client],
    pools: [...scene.pools, LOCAL],
  });
  try {
    await using _load = load;
    await load.servedAnew();
    for (const fault of order(listFaults(scene), seed)) {
      if (figures.injected >= listFaults(scene).length && isOver()) break;
      figures.injected++;
      await fault.inject(scene);
      const cleanMs = await recovered(fault, load, grid);
      figures.longestMs = Math.max(figures.longestMs, cleanMs);
      figures.survived++;
      print(`${fault.name}: clean after ${inSeconds(cleanMs)}`);
    }
    await load[Symbol.asyncDispose]();
    await assertCleanEnd(grid, load.accepted);
    ownership.assertKept();
  } finally {
    figures.accepted = load.accepted.size;
    figures.served = load.served();
    figures.lost = await countLost(grid.client, load.accepted);
    figures.leaked = (await strays(grid).catch(() => [])).length;
    print(renderLine(figures, seed));
  }
  return figures;
}

/** Resolves when users are served and nothing is left over. @returns How long that took, in ms. */
async function recovered(
  fault: Fault,
  load: Load,
  grid: Scene["grid"],
): Promise<number> {
  const since = systemClock.monotonic();
  try {
    await Promise.all([load.servedAnew(), cleanAgain(grid)]);
  } catch (cause) {
    throw new Error(`After this: ${fault.name}: ${cause}`, { cause });
  }
  const tookMs = systemClock.monotonic() - since;
  if (tookMs > CLEAN_MS) {
    throw new Error(`After this: ${fault.name}: ${inSeconds(tookMs)}`);
  }
  return tookMs;
}

/** Every fault once in random order, then all in another, without end. */
function* order(faults: readonly Fault[], seed: number): Generator<Fault> {
  const shuffled = fc.shuffledSubarray([...faults], {
    minLength: faults.length,
  });
  for (let round = 0;; round++) {
    const [turn = []] = fc.sample(shuffled, {
      seed: seed + round,
      numRuns: 1,
    });
    yield* turn;
  }
}

async function countLost(
  client: GridClient,
  ids: Iterable<string>,
): Promise<number> {
  let lost = 0;
  for (const id of ids) {
    await client.getSession(id).catch((error) => {
      if (error instanceof ApiError && error.status === 404) lost++;
    });
  }
  return lost;
}

function renderLine(figures: Figures, seed: number): string {
  const { injected, survived, accepted, served, lost, leaked } = figures;
  return `chaos, seed ${seed}: ${injected} faults injected, ${survived} survived; ` +
    `${accepted} sessions accepted, ${served} served, ${lost} lost, ${leaked} leaked; ` +
    `longest time from fault to clean ${inSeconds(figures.longestMs)}`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
