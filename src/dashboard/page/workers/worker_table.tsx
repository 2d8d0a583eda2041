import type { VNode } from "preact";
import type { PoolWire, WorkerWire } from "../../../client/client.ts";
import { formatMegabytes } from "../format.ts";
import { buildHref } from "../routing.ts";
import { Badge } from "../ui/badge.tsx";
import { LoadBar } from "../ui/load_bar.tsx";
import { Empty } from "../ui/notice.tsx";
import { Table } from "../ui/section.tsx";
import { Age } from "../ui/time.tsx";
import { buildWorkerCommand } from "./worker_command.ts";

/** Workers with their load. */
export function WorkerTable(
  { workers, pools, scaled = new Set() }: {
    readonly workers: readonly WorkerWire[];
    readonly pools: readonly PoolWire[];
    /** Ids of the pools whose workers the server starts. @default {none} */
    readonly scaled?: ReadonlySet<string>;
  },
): VNode {
  const names = new Map(pools.map(({ id, name }) => [id, name]));
  if (workers.length === 0) return <NoWorker pools={pools} scaled={scaled} />;
  return (
    <Table
      label="Workers"
      head={[
        { title: "Worker" },
        { title: "Status" },
        { title: "Pool" },
        { title: "Load of capacity" },
        { title: "Warm", className: "number wide" },
        { title: "CPU", className: "number wide" },
        { title: "Memory", className: "number wide" },
        { title: "Heartbeat", className: "number wide" },
      ]}
    >
      {workers.map((worker) => (
        <tr key={worker.id}>
          <td>
            <a href={buildHref(`workers/${worker.id}`)}>{worker.name}</a>
          </td>
          <td>
            <Badge status={worker.status} />
          </td>
          <td>{names.get(worker.work_pool_id) ?? "\u2013"}</td>
          <td>
            <LoadBar used={worker.current_load} of={worker.capacity} />
          </td>
          <td class="number wide">{worker.ready || "\u2013"}</td>
          <td class="number wide">
            {worker.cpu_percent === null
              ? "\u2013"
              : `${Math.round(worker.cpu_percent)} %`}
          </td>
          <td class="number wide">
            {worker.memory_usage_mb === null
              ? "\u2013"
              : formatMegabytes(worker.memory_usage_mb)}
          </td>
          <td class="number wide nowrap">
            <Age at={worker.last_heartbeat} suffix=" ago" />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function NoWorker(
  { pools, scaled }: {
    readonly pools: readonly PoolWire[];
    readonly scaled: ReadonlySet<string>;
  },
): VNode {
  const unscaled = pools.find(({ id }) => !scaled.has(id));
  if (!unscaled && pools.length > 0) {
    return (
      <Empty title="No worker is online">
        The server starts workers here when sessions need them.
      </Empty>
    );
  }
  return (
    <Empty
      title="No worker is online"
      command={buildWorkerCommand(unscaled?.name ?? "POOL")}
    >
      Sessions wait until a worker serves their pool. Start one:
    </Empty>
  );
}
