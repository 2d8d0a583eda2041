import type { StoredObject } from "./objects.ts";

const COLUMNS = ["Name", "Ready", "Status", "Restarts", "Age"];

/** Reports whether a client asks for a table, as kubectl does. */
export function asksForTable(accept: string | undefined): boolean {
  return /as=Table/.test(accept ?? "");
}

/** Returns pods as the table that `kubectl get` prints. */
export function renderTable(
  pods: readonly StoredObject[],
  resourceVersion: string,
): Record<string, unknown> {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion },
    columnDefinitions: COLUMNS.map((name) => ({
      name,
      type: "string",
      format: name === "Name" ? "name" : "",
      description: name,
      priority: 0,
    })),
    rows: pods.map((pod) => ({
      cells: [
        pod.metadata.name,
        `${isReady(pod) ? 1 : 0}/1`,
        renderStatus(pod),
        "0",
        "1s",
      ],
      object: {
        kind: "PartialObjectMetadata",
        apiVersion: "meta.k8s.io/v1",
        metadata: pod.metadata,
      },
    })),
  };
}

function isReady({ status }: StoredObject): boolean {
  return status.containerStatuses?.[0]?.ready === true;
}

function renderStatus({ metadata, status }: StoredObject): string {
  if (metadata.deletionTimestamp) return "Terminating";
  const state = status.containerStatuses?.[0]?.state ?? {};
  return state.waiting?.reason ?? status.reason ?? status.phase;
}
