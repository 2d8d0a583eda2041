import type { workers } from "./models.ts";
import type { WorkerWire } from "./schemas.ts";

/** A worker as it is stored. */
export type WorkerRow = Readonly<typeof workers.$inferSelect>;

/** Returns the wire form of a worker, without its secret and instance id. */
export function renderWorker(worker: WorkerRow): WorkerWire {
  return {
    id: worker.id,
    name: worker.name,
    work_pool_id: worker.workPoolId,
    provider_type: worker.providerType,
    provider_details: worker.providerDetails,
    capacity: worker.capacity,
    current_load: worker.currentLoad,
    status: worker.status,
    ready: worker.ready,
    reach: worker.reach,
    // A killed server has not recorded that its tunnels are closed.
    has_tunnel: worker.tunnelUrl !== null && worker.status !== "offline",
    cpu_percent: worker.cpuPercent,
    memory_usage_mb: worker.memoryUsageMb,
    disk_usage_mb: worker.diskUsageMb,
    ip_address: worker.ipAddress,
    version: worker.version,
    created_at: new Date(worker.createdAt).toISOString(),
    last_heartbeat: new Date(worker.lastHeartbeat).toISOString(),
  };
}
