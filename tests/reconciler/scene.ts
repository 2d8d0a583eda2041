import assert from "node:assert/strict";
import {
  type Observation,
  type PassResult,
  reconcileOnce,
} from "../../src/reconciler/reconciler.ts";
import type { SettingsInput } from "../../src/core/settings.ts";
import { type Api, createApiClient } from "../support/api.ts";
import { createFakeClock, type FakeClock } from "../support/clock.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";

/** Milliseconds of a second. */
export const SECOND = 1_000;
/** Milliseconds of a minute. */
export const MINUTE = 60 * SECOND;

/** Starts a grid with one pool and a clock that the test moves. */
export async function createScene(
  settings: SettingsInput = {},
): Promise<
  AsyncDisposable & {
    readonly grid: TestGrid;
    readonly api: Api;
    readonly clock: FakeClock;
    /** Runs a pass, and returns its counts. @param observation By default, of a server that has always observed. */
    pass(observation?: Observation): Promise<PassResult["counts"]>;
    /** Returns the status of a session, with its reason. */
    getStatus(id: string): Promise<readonly [string, string | null]>;
  }
> {
  const clock = createFakeClock();
  const grid = await testGrid({ clock, settings });
  const api = createApiClient(grid);
  await api.pool();
  return {
    grid,
    api,
    clock,
    async pass(observation) {
      const { counts, failures } = await reconcileOnce(grid, observation);
      assert.deepEqual([...failures.values()], []);
      return counts;
    },
    async getStatus(id) {
      const { status, statusReason } = await grid.sessions.get(id);
      return [status, statusReason];
    },
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}
