import type { HostInfo } from "../../../core/provider.ts";
import type { MachineHostInfo } from "../../../core/provider/machines.ts";

/** Tag with the id of the session whose browser a container group runs. */
export const SESSION_TAG = "browsergrid-session";

/** Tag with the id of the worker that started a session's group. */
const WORKER_TAG = "browsergrid-worker";

/** Tag with the id of the worker that a machine's group runs. */
export const MACHINE_TAG = "browsergrid-machine";

/** Tag with the time at which the creation of a group was requested, in ms since the epoch. */
export const CREATED_TAG = "browsergrid-created";

const GRID_TAG = "browsergrid-grid";
const POOL_TAG = "browsergrid-pool";

/** Tags of Azure resources. */
export type Tags = Readonly<Record<string, string>>;

/** Returns the tags of all sessions of a worker in a grid. */
export function workerTags({ gridId, workerId }: HostInfo): Tags {
  return { [GRID_TAG]: gridId, [WORKER_TAG]: workerId };
}

/** Returns the tags of all machines of a pool in a grid. */
export function poolTags({ gridId, poolId }: MachineHostInfo): Tags {
  return { [GRID_TAG]: gridId, [POOL_TAG]: poolId };
}
