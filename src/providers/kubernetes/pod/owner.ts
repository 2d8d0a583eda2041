import type { OwnerReference } from "kubernetes-types/meta/v1.d.ts";
import type { Cluster } from "../api/cluster.ts";

/**
 * Returns the worker's own pod as the owner of its browsers' pods, which the cluster then deletes with it. The variables
 * come from its template (`fieldRef`). Undefined outside the cluster, or if it is in another namespace than the browsers.
 */
export function findOwner(
  { isInCluster, namespace }: Cluster,
): OwnerReference | undefined {
  const name = Deno.env.get("POD_NAME");
  const uid = Deno.env.get("POD_UID");
  const isHere = isInCluster && Deno.env.get("POD_NAMESPACE") === namespace;
  return isHere && name && uid
    ? { apiVersion: "v1", kind: "Pod", name, uid }
    : undefined;
}
