import type { VNode } from "preact";
import type { PoolWire, WorkerWire } from "../../../client/client.ts";
import { formatMegabytes, formatStatus } from "../format.ts";
import { buildHref } from "../routing.ts";
import { Age, Moment } from "../ui/time.tsx";

/** The fields of a worker. */
export function WorkerFields(
  { worker, pool }: { readonly worker: WorkerWire; readonly pool: PoolWire },
): VNode {
  const { disk_usage_mb: disk } = worker;
  const rows = [
    [
      "Pool",
      <a key="pool" href={buildHref(`pools/${pool.id}`)}>{pool.name}</a>,
    ],
    ["Provider", worker.provider_type],
    ["Capacity", worker.capacity],
    ["Warm browsers", worker.ready],
    [
      "Reached",
      `${worker.reach}${worker.has_tunnel ? ", its tunnel is open" : ""}`,
    ],
    ["Address", worker.ip_address ?? "\u2013"],
    [
      "Version",
      worker.version === null
        ? "unknown"
        : `${worker.version}, ${formatStatus(worker.version_support)}`,
    ],
    ["Disk in use", disk === null ? "\u2013" : formatMegabytes(disk)],
    [
      "Last heartbeat",
      <Age key="beat" at={worker.last_heartbeat} suffix=" ago" />,
    ],
    ["Registered", <Moment key="created" at={worker.created_at} />],
    ["Id", worker.id],
  ] as const;
  return (
    <dl class="details two">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
