import type { VNode } from "preact";
import { formatDuration } from "../format.ts";
import type { PoolLoad } from "../overview/grid_state.ts";
import { buildHref } from "../routing.ts";
import { Badge } from "../ui/badge.tsx";
import { LoadBar } from "../ui/load_bar.tsx";
import { Empty } from "../ui/notice.tsx";
import { Table } from "../ui/section.tsx";
import { MachineWarning } from "./machines.tsx";

/** Pools with their load. */
export function PoolTable(
  { pools }: { readonly pools: readonly PoolLoad[] },
): VNode {
  if (pools.length === 0) {
    return (
      <Empty
        title="There is no work pool"
        command="browsergrid pool create local --name default"
      >
        A pool says how browsers are started.{" "}
        <a href={buildHref("pools/new")}>Create one</a>{" "}
        here or with the command, then start a worker:
      </Empty>
    );
  }
  return (
    <Table
      label="Work pools"
      head={[
        { title: "Pool" },
        { title: "Status" },
        { title: "Provider", className: "wide" },
        { title: "Running of capacity" },
        { title: "Starting", className: "number wide" },
        { title: "Pending", className: "number" },
        { title: "Oldest waits", className: "number wide" },
        { title: "Warm", className: "number wide" },
        { title: "Workers", className: "number wide" },
      ]}
    >
      {pools.map((each) => <PoolRow key={each.pool.id} {...each} />)}
    </Table>
  );
}

function PoolRow({ pool, load }: PoolLoad): VNode {
  const oldest = load.oldest_pending_seconds;
  return (
    <tr>
      <td>
        <a href={buildHref(`pools/${pool.id}`)}>{pool.name}</a>
        <MachineWarning load={load} />
      </td>
      <td>
        <Badge status={load.status} />
      </td>
      <td class="wide">{pool.provider_type}</td>
      <td>
        <LoadBar
          used={load.running + load.starting}
          of={Math.min(load.capacity, load.max_sessions ?? Infinity)}
        />
      </td>
      <td class="number wide">{load.starting}</td>
      <td class="number">{load.pending}</td>
      <td class="number wide">
        {oldest === null ? "\u2013" : formatDuration(oldest * 1_000)}
      </td>
      <td class="number wide">
        {load.min_ready === 0 && load.ready === 0
          ? "\u2013"
          : `${load.ready} / ${load.min_ready}`}
      </td>
      <td class="number wide">{load.workers_online}</td>
    </tr>
  );
}
