import type { HostInfo } from "../../../core/provider.ts";

/** Label of an image whose entrypoint supports the `BROWSERGRID_*` variables. */
export const IMAGE_LABEL = "browsergrid.image";

/** Label of an image whose entrypoint enforces egress limits. */
export const EGRESS_LABEL = "browsergrid.egress";

/** Label with the id of the session that a container runs for. */
export const SESSION_LABEL = "browsergrid.session_id";

const GRID_LABEL = "browsergrid.grid_id";
const WORKER_LABEL = "browsergrid.worker_id";

/** Returns the labels of a session's container. */
export function createLabels(
  host: HostInfo,
  sessionId: string,
): Record<string, string> {
  return {
    [GRID_LABEL]: host.gridId,
    [WORKER_LABEL]: host.workerId,
    [SESSION_LABEL]: sessionId,
  };
}

/** Returns a filter that selects exactly the containers of this worker in this grid. */
export function workerFilter(host: HostInfo): { label: string[] } {
  return {
    label: [
      `${GRID_LABEL}=${host.gridId}`,
      `${WORKER_LABEL}=${host.workerId}`,
      SESSION_LABEL,
    ],
  };
}
