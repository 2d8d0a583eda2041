import type { HostInfo } from "../../../core/provider.ts";

/** Label that the project's image carries: its entrypoint understands the `BROWSERGRID_*` settings. */
export const IMAGE_LABEL = "browsergrid.image";

/** Label of an image whose entrypoint enforces egress limits. */
export const EGRESS_LABEL = "browsergrid.egress";

/** Label with the id of the session that a container runs for. */
export const SESSION_LABEL = "browsergrid.session_id";

const GRID_LABEL = "browsergrid.grid_id";
const WORKER_LABEL = "browsergrid.worker_id";

/** Labels of a session's container. */
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

/** Filter for the containers that this worker of this grid once made, and nobody else's. */
export function workerFilter(host: HostInfo): { label: string[] } {
  return {
    label: [
      `${GRID_LABEL}=${host.gridId}`,
      `${WORKER_LABEL}=${host.workerId}`,
      SESSION_LABEL,
    ],
  };
}
