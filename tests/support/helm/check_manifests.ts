import { join } from "node:path";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1/Ingress";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Role } from "kubernetes-models/rbac.authorization.k8s.io/v1/Role";
import { RoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import { Secret } from "kubernetes-models/v1/Secret";
import { Service } from "kubernetes-models/v1/Service";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { temporaryFolder } from "../temporary_folder.ts";
import type { Manifest } from "./chart.ts";

/** Models with the published schemas, by kind, with the module of their types. */
const MODELS = {
  ...{ Deployment, StatefulSet, Ingress, NetworkPolicy, PodDisruptionBudget },
  ...{ Role, RoleBinding, Secret, Service, ServiceAccount },
  ...{ ScaledObject, TriggerAuthentication, ServiceMonitor },
};

/** Packages of the models that are not part of Kubernetes. */
const PACKAGES: Readonly<Record<string, string>> = {
  "keda.sh": "@kubernetes-models/keda/keda.sh",
  "monitoring.coreos.com":
    "@kubernetes-models/prometheus-operator/monitoring.coreos.com",
};

/**
 * Validates manifests against the published schemas. @throws {Error} With the member that does not match.
 */
export function validateManifests(manifests: readonly Manifest[]): void {
  for (const manifest of manifests) {
    const { kind, metadata: { name } } = manifest;
    const Model = Object.entries(MODELS).find(([key]) => key === kind)?.[1];
    if (!Model) throw new Error(`No schema for ${kind}`);
    try {
      // A model's constructor has the type of valid members.
      Reflect.construct(Model, [manifest]).validate();
    } catch (error) {
      throw new Error(`${kind} ${name}: ${error}`);
    }
  }
}

/**
 * Returns the errors of a type check of manifests as literals, which also finds members that the published schemas do
 * not have.
 */
export async function listUnknownMembers(
  manifests: readonly Manifest[],
): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "manifests.ts");
  await Deno.writeTextFile(file, manifests.map(renderLiteral).join("\n"));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--config", "deno.json", file],
    cwd: join(import.meta.dirname ?? "", "../../.."),
    env: { NO_COLOR: "1" },
  }).output();
  return success ? "" : new TextDecoder().decode(stderr);
}

function renderLiteral(manifest: Manifest, index: number): string {
  const { apiVersion, kind } = manifest;
  const [group = "", version] = apiVersion.includes("/")
    ? apiVersion.split("/")
    : ["", apiVersion];
  const base = PACKAGES[group] ??
    ["kubernetes-models", group].filter(Boolean).join("/");
  const type = `import("${base}/${version}/${kind}").I${kind}`;
  return `export const m${index}: ${type} = ${JSON.stringify(manifest)};`;
}
