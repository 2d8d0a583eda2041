import type { HostInfo } from "../../../core/provider.ts";
import type { MachineHostInfo } from "../../../core/provider/machines.ts";
import type { Pod } from "../api/objects.ts";

const GRID = "browsergrid/grid";
const WORKER = "browsergrid/worker";
const SESSION = "browsergrid/session";
const POOL = "browsergrid/pool";

/** Labels of the component, by which network policies and people select pods. */
export function createComponentLabels(
  component: "browser" | "worker",
): Record<string, string> {
  return {
    "app.kubernetes.io/name": "browsergrid",
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/managed-by": "browsergrid",
  };
}

/** Returns the labels of a session's pod. */
export function createSessionLabels(
  { gridId, workerId }: HostInfo,
  sessionId: string,
): Record<string, string> {
  return {
    ...createComponentLabels("browser"),
    [GRID]: gridId,
    [WORKER]: workerId,
    [SESSION]: sessionId,
  };
}

/** Returns the labels of a worker's pod. */
export function createMachineLabels(
  { gridId, poolId }: MachineHostInfo,
  workerId: string,
): Record<string, string> {
  return {
    ...createComponentLabels("worker"),
    [GRID]: gridId,
    [POOL]: poolId,
    [WORKER]: workerId,
  };
}

/** Selects exactly the session pods of this worker in this grid. */
export function selectSessions({ gridId, workerId }: HostInfo): string {
  return `${GRID}=${gridId},${WORKER}=${workerId},${SESSION}`;
}

/** Selects exactly the worker pods of this pool in this grid. */
export function selectMachines({ gridId, poolId }: MachineHostInfo): string {
  return `${GRID}=${gridId},${POOL}=${poolId},${WORKER},!${SESSION}`;
}

/** Returns the session id of a pod. */
export function readSessionId({ metadata }: Pod): string {
  return metadata.labels?.[SESSION] ?? "";
}

/** Returns the worker id of a pod. */
export function readWorkerId({ metadata }: Pod): string {
  return metadata.labels?.[WORKER] ?? "";
}
