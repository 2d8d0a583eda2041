import type { KubernetesConfig } from "../config.ts";

/** Returns the pull policy in the words of Kubernetes. */
export function renderPullPolicy(
  pull: KubernetesConfig["pull"],
): "IfNotPresent" | "Always" | "Never" {
  switch (pull) {
    case "missing":
      return "IfNotPresent";
    case "always":
      return "Always";
    case "never":
      return "Never";
    default:
      return pull satisfies never;
  }
}
