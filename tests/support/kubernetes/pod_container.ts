import type { ContainerCreateOptions } from "dockerode";
import type { StoredObject } from "./objects.ts";
import type { Store } from "./store.ts";

/** Label of the containers of one contract server. */
export const CLUSTER_LABEL = "browsergrid.test_cluster";

/** Variable of a pod's template. */
interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
  };
}

/**
 * Returns the options of the real container that runs a pod.
 *
 * @throws {Error} If a secret is missing, as for `CreateContainerConfigError`.
 */
export function toContainer(
  pod: StoredObject,
  store: Store,
  clusterId: string,
): ContainerCreateOptions {
  const [container] = pod.spec.containers;
  const env = resolveVariables(container.env ?? [], pod, store);
  const context = container.securityContext ?? {};
  const { limits = {} } = container.resources ?? {};
  const shm = (pod.spec.volumes ?? []).find((volume: StoredObject) =>
    volume.emptyDir?.medium === "Memory"
  );
  return {
    name: `k8s_${pod.metadata.name}_${pod.metadata.uid.slice(0, 8)}`,
    Image: container.image,
    Hostname: pod.metadata.name.slice(0, 63),
    Cmd: (container.args ?? []).map((arg: string) => expand(arg, env)),
    Env: [...env].map(([name, value]) => `${name}=${value}`),
    Labels: { [CLUSTER_LABEL]: clusterId },
    ...(context.runAsUser !== undefined && {
      User: `${context.runAsUser}:${context.runAsGroup ?? context.runAsUser}`,
    }),
    HostConfig: {
      CapDrop: context.capabilities?.drop ?? [],
      CapAdd: context.capabilities?.add ?? [],
      SecurityOpt: [
        ...(context.allowPrivilegeEscalation === false
          ? ["no-new-privileges"]
          : []),
      ],
      Memory: Number(limits.memory ?? 0),
      NanoCpus: parseInt(limits.cpu ?? "0") * 1e6,
      ShmSize: Number(shm?.emptyDir.sizeLimit ?? 64 * 2 ** 20),
    },
  };
}

function resolveVariables(
  variables: readonly Variable[],
  { metadata: { namespace } }: StoredObject,
  store: Store,
): Map<string, string> {
  const env = new Map<string, string>();
  for (const { name, value, valueFrom } of variables) {
    const ref = valueFrom?.secretKeyRef;
    if (!ref) {
      env.set(name, expand(value ?? "", env));
      continue;
    }
    const secret = store.find("secrets", namespace, ref.name);
    if (!secret) throw new Error(`secret "${ref.name}" not found`);
    const found = secret.stringData?.[ref.key] ?? secret.data?.[ref.key];
    if (found === undefined) {
      throw new Error(`couldn't find key ${ref.key} in Secret ${ref.name}`);
    }
    env.set(name, found);
  }
  return env;
}

/**
 * Expands references such as `$(NAME)`; `$$` is a dollar sign, and unknown references are kept.
 *
 * @see {@link https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ Dependent environment variables}
 */
export function expand(
  text: string,
  env: ReadonlyMap<string, string>,
): string {
  return text.replace(
    /\$(\$|\(([^()]*)\))/g,
    (whole, next: string, name: string | undefined) =>
      next === "$" ? "$" : env.get(name ?? "") ?? whole,
  );
}
