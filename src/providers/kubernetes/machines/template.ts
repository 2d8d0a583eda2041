import type { Pod } from "kubernetes-types/core/v1.d.ts";
import type { MachineSpec } from "../../../core/provider/machines.ts";
import { parseMemory } from "../../../core/schema.ts";
import type { KubernetesConfig } from "../config.ts";
import { renderPullPolicy } from "../pod/pull_policy.ts";
import {
  createPodOptions,
  createResources,
  createSharedMemory,
  escapeReferences,
  KEPT,
} from "../pod/template.ts";

/** Name of the container in each pod. */
export const CONTAINER = "worker";

/** Key of the secret with the worker's API key. */
export const API_KEY = "api-key";

/** Time in addition to the drain, for reports and for the worker's leave. */
const LEAVE_SECONDS = 30;

/**
 * Returns the pod of a worker with the browser of its image. SIGTERM drains it, so that a deletion waits for its
 * sessions, for at most the pod's grace period.
 */
export function createMachinePod(
  machine: MachineSpec,
  config: KubernetesConfig,
  { name, poolId, labels }: {
    readonly name: string;
    readonly poolId: string;
    readonly labels: Readonly<Record<string, string>>;
  },
): Pod {
  const { drain_timeout_seconds: drain } = config;
  const args = [
    "worker",
    ...["--work-pool-id", poolId],
    ...["--worker-id", machine.workerId],
    ...["--api-url", machine.serverUrl],
    ...["--capacity", String(machine.capacity)],
    ...["--reach", "tunnel"],
    ...["--drain-timeout", String(drain)],
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels: { ...config.labels, ...labels },
      annotations: { ...KEPT, ...config.annotations },
    },
    spec: {
      ...createPodOptions(config),
      restartPolicy: "Never",
      terminationGracePeriodSeconds: drain + LEAVE_SECONDS,
      containers: [{
        name: CONTAINER,
        image: config.worker_image,
        imagePullPolicy: renderPullPolicy(config.pull),
        args: args.map(escapeReferences),
        env: machine.apiKey === undefined ? [] : [{
          name: "BROWSERGRID_API_KEY",
          valueFrom: { secretKeyRef: { name, key: API_KEY } },
        }],
        resources: createResources(
          config.worker_cpu,
          parseMemory(config.worker_memory) ?? 0,
        ),
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: false,
          capabilities: { drop: ["ALL"] },
          runAsNonRoot: true,
          runAsUser: config.worker_user,
        },
        volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }],
      }],
      volumes: [createSharedMemory(config)],
    },
  };
}
