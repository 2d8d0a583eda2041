import type {
  Container,
  EnvVar,
  Pod,
  PodSpec,
  ResourceRequirements,
  Secret,
  SecurityContext,
} from "kubernetes-types/core/v1.d.ts";
import type { OwnerReference } from "kubernetes-types/meta/v1.d.ts";
import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { parseMemory } from "../../../core/schema.ts";
import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import { limitsEgress } from "../../kit/image/egress.ts";
import { expandImageName } from "../../kit/image/image_name.ts";
import {
  createImageVariables,
  EGRESS_CAPABILITIES,
  type ImageOptions,
  PLAIN_VARIABLES,
  renderImageArguments,
} from "../../kit/image/image_options.ts";
import type { Pod as CreatedPod } from "../api/objects.ts";
import type { KubernetesConfig } from "../config.ts";
import { renderPullPolicy } from "./pull_policy.ts";

/** Name of the container in each pod. */
export const CONTAINER = "browser";

/** Annotations that keep autoscalers from moving pods, which would end their sessions. */
export const KEPT: Readonly<Record<string, string>> = {
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
  "karpenter.sh/do-not-disrupt": "true",
};

/** Time between SIGTERM and SIGKILL if something else than the worker deletes a pod. */
const GRACE_SECONDS = 10;

/** Parts of a session's pod other than the browser and the pool's configuration. */
export interface PodPlan {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The worker's pod, with which the cluster deletes this one. */
  readonly owner: OwnerReference | undefined;
  /** Addresses of the grid, which a session with limited egress cannot reach. */
  readonly gridAddresses: readonly string[];
}

/** A pod to create, and the secret that it refers to. */
export interface SessionPod {
  readonly pod: Pod;
  /** Values of variables by their keys in the secret; empty if the pod needs none. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Returns the pod of a session.
 *
 * Values of variables are secret, except those of the image's own settings. They are in a secret of the same name, so
 * that accounts that may read pods do not see them.
 */
export function createSessionPod(
  spec: BrowserSpec,
  config: KubernetesConfig,
  plan: PodPlan,
): SessionPod {
  const options: ImageOptions = {
    ...config,
    isProjectImage: config.image_kind === "project",
  };
  const variables = createImageVariables(spec, options, plan.gridAddresses);
  const { environment, secrets } = splitVariables(variables, plan.name);
  const container: Container = {
    name: CONTAINER,
    image: expandImageName(config.image, spec),
    imagePullPolicy: renderPullPolicy(config.pull),
    args: renderImageArguments(spec, options).map(escapeReferences),
    env: environment,
    ports: [{ name: "cdp", containerPort: IMAGE_CDP_PORT }],
    resources: createResources(
      spec.cpu ?? config.default_cpu,
      spec.memoryBytes ?? parseMemory(config.default_memory) ?? 0,
    ),
    securityContext: createSecurityContext(spec, config),
    volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }],
  };
  return {
    secrets,
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: plan.name,
        labels: { ...config.labels, ...plan.labels },
        annotations: { ...KEPT, ...config.annotations },
        ...(plan.owner && { ownerReferences: [plan.owner] }),
      },
      spec: {
        ...createPodOptions(config),
        restartPolicy: "Never",
        activeDeadlineSeconds: config.active_deadline_seconds,
        terminationGracePeriodSeconds: GRACE_SECONDS,
        containers: [container],
        volumes: [createSharedMemory(config)],
      },
    },
  };
}

/** Returns the secret of a pod, which the cluster deletes with it. */
export function createOwnedSecret(
  { metadata: { name, uid } }: CreatedPod,
  labels: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      labels: { ...labels },
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid }],
    },
    immutable: true,
    stringData: { ...values },
  };
}

/** Returns the options that the pods of sessions and workers have in common. */
export function createPodOptions(
  config: KubernetesConfig,
): Omit<PodSpec, "containers"> {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    nodeSelector: { ...config.node_selector },
    tolerations: config.tolerations.map(definedOnly),
    imagePullSecrets: config.image_pull_secrets.map((name) => ({ name })),
    ...(config.service_account !== undefined && {
      serviceAccountName: config.service_account,
    }),
    ...(config.runtime_class !== undefined && {
      runtimeClassName: config.runtime_class,
    }),
    ...(config.user_namespaces && { hostUsers: false }),
    securityContext: { seccompProfile: createSeccompProfile(config) },
  };
}

/** Returns requests that equal the limits, so that the pod has all that it may use. */
export function createResources(
  cpu: number,
  memoryBytes: number,
): ResourceRequirements {
  const amounts = {
    cpu: `${Math.ceil(cpu * 1_000)}m`,
    memory: String(memoryBytes),
  };
  return { requests: amounts, limits: amounts };
}

/** Returns the volume of /dev/shm, which has 64 MB otherwise. */
export function createSharedMemory(
  { shm_size }: Pick<KubernetesConfig, "shm_size">,
): { name: string; emptyDir: { medium: string; sizeLimit: string } } {
  const sizeLimit = String(parseMemory(shm_size));
  return { name: "shm", emptyDir: { medium: "Memory", sizeLimit } };
}

/** Doubles each "$", with which references to variables begin in arguments and values. */
export function escapeReferences(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function createSeccompProfile(
  { seccomp, seccomp_profile }: KubernetesConfig,
): {
  type: "RuntimeDefault" | "Localhost" | "Unconfined";
  localhostProfile?: string;
} {
  switch (seccomp) {
    case "runtime":
      return { type: "RuntimeDefault" };
    case "localhost":
      return { type: "Localhost", localhostProfile: seccomp_profile };
    case "unconfined":
      return { type: "Unconfined" };
    default:
      return seccomp satisfies never;
  }
}

/** As root, the entrypoint limits the network before it switches to the browser's user. */
function createSecurityContext(
  spec: BrowserSpec,
  { run_as_user }: KubernetesConfig,
): SecurityContext {
  const isLimited = limitsEgress(spec);
  return {
    allowPrivilegeEscalation: false,
    privileged: false,
    capabilities: {
      drop: ["ALL"],
      ...(isLimited && { add: [...EGRESS_CAPABILITIES] }),
    },
    ...(isLimited ? { runAsUser: 0, runAsGroup: 0 } : {
      runAsNonRoot: true,
      runAsUser: run_as_user,
      runAsGroup: run_as_user,
    }),
  };
}

function splitVariables(
  variables: Readonly<Record<string, string>>,
  secret: string,
): {
  readonly environment: EnvVar[];
  readonly secrets: Record<string, string>;
} {
  const secrets: Record<string, string> = {};
  const environment = Object.entries(variables).map(([name, value]) => {
    if (PLAIN_VARIABLES.has(name)) {
      return { name, value: escapeReferences(value) };
    }
    secrets[name] = value;
    return { name, valueFrom: { secretKeyRef: { name: secret, key: name } } };
  });
  return { environment, secrets };
}

function definedOnly<T extends object>(
  options: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return JSON.parse(JSON.stringify(options));
}
