import type { VNode } from "preact";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { Fault, Loading } from "../ui/notice.tsx";
import { WorkerTable } from "./worker_table.tsx";

const MAX_LISTED = 500;

const REFRESH_MS = 10_000;

/** The list of workers, those that are offline last. */
export function WorkersPage(): VNode {
  const { value, error } = useResource("workers", load, {
    changesBy: ({ type }) => /^(session|pool|worker)\./.test(type),
    everyMs: REFRESH_MS,
  });
  return (
    <>
      <h1>Workers</h1>
      <Fault message={error} />
      {value && (
        <div class="panel">
          <WorkerTable {...value} />
        </div>
      )}
      {!value && error === undefined && <Loading />}
    </>
  );
}

async function load(signal: AbortSignal) {
  const [workers, pools] = await Promise.all([
    client.listWorkers({ limit: MAX_LISTED }, { signal }),
    client.listPools({ limit: MAX_LISTED }, { signal }),
  ]);
  const rank = (status: string) => status === "offline" ? 1 : 0;
  return {
    workers: workers.items.toSorted((one, other) =>
      rank(one.status) - rank(other.status) ||
      one.name.localeCompare(other.name)
    ),
    pools: pools.items,
  };
}
