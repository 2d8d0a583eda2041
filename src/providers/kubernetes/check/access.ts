import type { CheckResult } from "../../../core/provider.ts";
import type { Access, KubernetesClient } from "../api/client.ts";
import type { KubernetesConfig } from "../config.ts";

/** A right, and its purpose if starts work without it. */
interface Requirement extends Access {
  readonly optionalFor?: string;
}

const PODS = ["create", "get", "list", "delete"].map((verb) => ({
  verb,
  resource: "pods",
}));

const COMMON: readonly Requirement[] = [
  ...PODS,
  { verb: "get", resource: "pods", subresource: "log" },
  { verb: "create", resource: "secrets" },
];

const SESSION: readonly Requirement[] = [
  { verb: "watch", resource: "pods" },
  {
    verb: "list",
    resource: "events",
    optionalFor: "the reasons of pods that do not start are shorter",
  },
  {
    verb: "get",
    group: "metrics.k8s.io",
    resource: "pods",
    optionalFor: "sessions have no CPU and memory metrics",
  },
];

const PORT_FORWARD: readonly Requirement[] = ["get", "create"].map((verb) => ({
  verb,
  resource: "pods",
  subresource: "portforward",
}));

/** Checks each right that a pool needs with an access review. */
export async function checkAccess(
  client: KubernetesClient,
  { unit }: Pick<KubernetesConfig, "unit">,
  { usesPortForward }: { readonly usesPortForward: boolean },
): Promise<readonly CheckResult[]> {
  const required = unit === "worker" ? COMMON : [
    ...COMMON,
    ...SESSION,
    ...(usesPortForward ? PORT_FORWARD : []),
  ];
  const results: CheckResult[] = [];
  for (const requirement of required) {
    const { optionalFor, ...access } = requirement;
    if (await client.mayAccess(access)) continue;
    results.push(renderMissing(access, optionalFor, client));
  }
  if (results.length > 0) return results;
  const detail =
    `The credentials have the ${required.length} rights that this pool needs in namespace "${client.cluster.namespace}"`;
  return [{ name: "access", status: "ok", detail }];
}

function renderMissing(
  { verb, resource, subresource, group }: Access,
  optionalFor: string | undefined,
  { cluster }: KubernetesClient,
): CheckResult {
  const path = [resource, subresource].filter(Boolean).join("/");
  const name = group === undefined ? path : `${path}.${group}`;
  const detail =
    `Cannot ${verb} "${name}" in namespace "${cluster.namespace}": the credentials do not have this right`;
  return optionalFor === undefined
    ? {
      name: "access",
      status: "fail",
      detail: `${detail}, expected the role of deploy/kubernetes/rbac.yaml`,
    }
    : { name: "access", status: "warn", detail: `${detail}; ${optionalFor}` };
}
