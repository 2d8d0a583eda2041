import type { PoolWire, WorkerWire } from "../../../client/client.ts";
import { isAdmin } from "../api/access.ts";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";

/** The pools and workers of the grid; none for visitors who may not see them. */
export interface Places {
  readonly pools: readonly PoolWire[];
  readonly workers: readonly WorkerWire[];
}

const NONE: Places = { pools: [], workers: [] };

const MAX_LISTED = 500;

/** Returns the pools and workers, by whose names sessions are selected and shown. */
export function usePlaces(): Places {
  const { value } = useResource("places", loadPlaces, {
    changesBy: ({ type }) =>
      /^pool\.|^worker\.(registered|deregistered)/.test(type),
  });
  return value ?? NONE;
}

async function loadPlaces(signal: AbortSignal): Promise<Places> {
  if (!isAdmin()) return NONE;
  const [pools, workers] = await Promise.all([
    client.listPools({ limit: MAX_LISTED }, { signal }),
    client.listWorkers({ limit: MAX_LISTED }, { signal }),
  ]);
  return { pools: pools.items, workers: workers.items };
}
