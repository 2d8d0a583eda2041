import type { VNode } from "preact";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import type { PoolLoad } from "../overview/grid_state.ts";
import { buildHref } from "../routing.ts";
import { Fault, Loading } from "../ui/notice.tsx";
import { PoolTable } from "./pool_table.tsx";

/** Most pools of the list. */
const MAX_POOLS = 200;

const REFRESH_MS = 10_000;

/** The list of work pools with their load. */
export function PoolsPage(): VNode {
  const { value, error } = useResource("pools", loadPools, {
    changesBy: ({ type }) => /^(session|pool|worker)\./.test(type),
    everyMs: REFRESH_MS,
  });
  return (
    <>
      <div class="heading">
        <h1>Work pools</h1>
        <div class="actions">
          <a class="button primary" href={buildHref("pools/new")}>
            Create pool
          </a>
        </div>
      </div>
      <Fault message={error} />
      {value && (
        <div class="panel">
          <PoolTable pools={value} />
        </div>
      )}
      {!value && error === undefined && <Loading />}
    </>
  );
}

async function loadPools(signal: AbortSignal): Promise<readonly PoolLoad[]> {
  const { items } = await client.listPools({ limit: MAX_POOLS }, { signal });
  return await Promise.all(
    items.map(async (pool) => ({
      pool,
      load: await client.getPoolPressure(pool.id, { signal }),
    })),
  );
}
