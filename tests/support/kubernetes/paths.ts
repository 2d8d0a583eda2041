import type { Resource } from "./objects.ts";

/** Resources of the API by their group, in the form of its paths. */
const RESOURCES: Readonly<Record<string, readonly Resource[]>> = {
  "/api/v1": ["pods", "secrets", "events", "serviceaccounts"],
  "/apis/rbac.authorization.k8s.io/v1": ["roles", "rolebindings"],
  "/apis/networking.k8s.io/v1": ["networkpolicies"],
};

const PATH =
  /^(\/api\/v1|\/apis\/[^/]+\/v1)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(?:\/(log|portforward))?$/;

const NAMESPACES = /^\/api\/v1\/namespaces(?:\/([^/]+))?$/;

const RUNTIME_CLASS = /^\/apis\/node\.k8s\.io\/v1\/runtimeclasses\/([^/]+)$/;

/** An object or a list that a path names. */
export interface ObjectPath {
  readonly resource: Resource;
  /** Empty for objects of the whole cluster. */
  readonly namespace: string;
  readonly name: string | undefined;
  readonly sub: string | undefined;
}

/** Parses the path of a request; returns undefined for others. */
export function parsePath(path: string): ObjectPath | undefined {
  const whole = { namespace: "", sub: undefined };
  const inCluster = NAMESPACES.exec(path);
  if (inCluster) {
    return { ...whole, resource: "namespaces", name: inCluster[1] };
  }
  const runtimeClass = RUNTIME_CLASS.exec(path);
  if (runtimeClass) {
    return { ...whole, resource: "runtimeclasses", name: runtimeClass[1] };
  }
  const [, group = "", namespace = "browsers", kind, name, sub] =
    PATH.exec(path) ?? [];
  const resource = RESOURCES[group]?.find((each) => each === kind);
  return resource && { resource, namespace, name, sub };
}
