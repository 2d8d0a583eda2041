import type { PoolLoad } from "../overview/grid_state.ts";

/** Returns the ids of the pools whose workers the server starts. */
export function listScaled(pools: readonly PoolLoad[]): ReadonlySet<string> {
  return new Set(
    pools.filter(({ load }) => load.machines !== null).map(({ pool }) =>
      pool.id
    ),
  );
}
