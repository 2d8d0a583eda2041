/**
 * Browsers in pods of a Kubernetes cluster.
 *
 * ```text
 * provider.ts -> host.ts -> pod/template.ts -> pod/start.ts -> pod/pod_browser.ts
 *                  |            api/pod_watch.ts (one for all pods), pod/reaper.ts, pod/state.ts (reasons), check/
 *                  +-> machines/: pods of workers with several sessions
 * api/: requests, credentials, watch and port-forwards of the API server
 * ```
 *
 * CDP is reached at the pod's address by workers in the cluster, and through the API server by others. An image receives
 * Chromium's arguments as its command and serves CDP on port 9222, as with the provider `docker`.
 *
 * @module
 */
import { defineProvider } from "../../core/provider.ts";
import { findUnsupportedProxy } from "../kit/image/unsupported_proxy.ts";
import { findUnsupportedLocalProxy } from "../kit/unsupported_local_proxy.ts";
import { type KubernetesConfig, kubernetesConfigSchema } from "./config.ts";

/** The provider `kubernetes`. Loads the client of the API on `open`. */
export const kubernetes = defineProvider({
  name: "kubernetes",
  displayName: "Kubernetes",
  description: "Each browser in a pod of a Kubernetes cluster",
  configSchema: kubernetesConfigSchema,
  browsers({ unit, image }) {
    const isImage = unit === "session";
    const versions = isImage && image.includes("{version}")
      ? ["*"]
      : ["latest", "stable"];
    const browsers = isImage && image.includes("{browser}")
      ? ["chromium", "chrome", "edge"] as const
      : ["chromium", "chrome"] as const;
    return browsers.map((browser) => ({
      browser,
      versions,
      operatingSystems: ["linux"],
    }));
  },
  unsupported: ({ proxy, egress }, { unit }) =>
    unit === "worker"
      ? findUnsupportedLocalProxy(proxy)
      : findUnsupportedProxy(proxy, egress),
  async deployCommand(spec, config) {
    const { renderRunCommand } = await import("./run_command.ts");
    return renderRunCommand(spec, config);
  },
  machines(config) {
    if (config.unit !== "worker") return undefined;
    const { api_server, context, kubeconfig, namespace } = config;
    return {
      place: JSON.stringify([api_server, kubeconfig, context, namespace]),
      capacity: config.worker_capacity,
      startTimeoutSeconds: config.start_timeout_seconds,
      browsers: {
        provider: "local",
        config: {
          sandbox: chooseWorkerSandbox(config),
          arguments: config.arguments,
        },
      },
      async open(info) {
        const { KubernetesMachines } = await import("./machines/machines.ts");
        return new KubernetesMachines(config, info);
      },
    };
  },
  async open(config, info) {
    const { KubernetesHost } = await import("./host.ts");
    return new KubernetesHost(config, info);
  },
});

/**
 * Returns the sandbox setting of the browsers of a worker. Its `auto` tests only for root, and a runtime's default filter
 * allows no user namespaces.
 */
function chooseWorkerSandbox(
  { sandbox, seccomp }: KubernetesConfig,
): KubernetesConfig["sandbox"] {
  return sandbox === "auto" && seccomp === "runtime" ? "off" : sandbox;
}
