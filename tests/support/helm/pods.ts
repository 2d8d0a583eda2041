import assert from "node:assert/strict";
import { z } from "zod";
import type { Manifest } from "./chart.ts";

const variableSchema = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({
    secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
    fieldRef: z.object({ fieldPath: z.string() }).optional(),
  }).optional(),
});

const probeSchema = z.object({
  httpGet: z.object({ path: z.string(), port: z.string() }),
});

const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(variableSchema),
  securityContext: z.looseObject({}),
  livenessProbe: probeSchema.optional(),
  readinessProbe: probeSchema.optional(),
  lifecycle: z.object({
    preStop: z.object({ exec: z.object({ command: z.array(z.string()) }) }),
  }).optional(),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});

const podSchema = z.looseObject({
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.looseObject({}),
  containers: z.tuple([containerSchema]),
});

const workloadSchema = z.object({
  spec: z.looseObject({
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: podSchema,
    }),
  }),
});

/** The container of a workload. */
export type Container = z.infer<typeof containerSchema>;

/** The pods of a workload. */
export interface Workload {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: z.infer<typeof podSchema>;
  readonly container: Container;
}

/** Returns the workloads among manifests. */
export function listWorkloads(
  manifests: readonly Manifest[],
): readonly Workload[] {
  return manifests
    .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
    .map((manifest) => {
      const { template } = workloadSchema.parse(manifest).spec;
      return {
        name: manifest.metadata.name,
        labels: template.metadata.labels,
        pod: template.spec,
        container: template.spec.containers[0],
      };
    });
}

/** Returns the only manifest of a kind and, if given, a name. */
export function findManifest(
  manifests: readonly Manifest[],
  kind: string,
  name?: string,
): Manifest {
  const found = manifests.filter((manifest) =>
    manifest.kind === kind &&
    (name === undefined || manifest.metadata.name === name)
  );
  const [only] = found;
  assert.ok(only && found.length === 1, `${found.length} of ${kind} ${name}`);
  return only;
}

/** Returns the variables of a container, with values for those of Secrets and fields. */
export function resolveVariables(
  { env }: Container,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(env.flatMap(({ name, value, valueFrom }) => {
    if (value !== undefined) return [[name, value]];
    const { secretKeyRef, fieldRef } = valueFrom ?? {};
    if (fieldRef) return [[name, `of-${fieldRef.fieldPath}`]];
    const secret = secrets[secretKeyRef?.key ?? ""];
    return secret === undefined ? [] : [[name, secret]];
  }));
}
