/**
 * Browsers in Azure container groups.
 *
 * ```text
 * unit session: provider.ts -> session/host.ts -> session/start.ts -> session/browser.ts
 *                                  +-> group/reaper.ts, check/      +-> session/exit.ts
 * unit worker:  provider.ts -> worker/machine_host.ts
 *                                  both -> group/ (request, state, tags) -> arm/ (sign-in, requests, retries)
 * ```
 *
 * A group of a session has a private address in a subnet, at which a worker in the same network reaches its browser. A
 * group of a worker has no address: the worker opens a tunnel to its server. No group ever has a public address.
 *
 * @module
 */
import { defineProvider } from "../../core/provider.ts";
import { azureConfigSchema, readGroupSize } from "./config.ts";
import { findUnsupportedWish } from "./unsupported.ts";

/** The provider `azure_container_instance`. */
export const azureContainerInstance = defineProvider({
  name: "azure_container_instance",
  displayName: "Azure Container Instances",
  description:
    "Workers with several browsers, or single browsers, in Azure container groups",
  configSchema: azureConfigSchema,
  browsers({ unit, image }) {
    const hasVersions = unit === "session" && image?.includes("{version}");
    const hasBrowsers = unit === "session" && image?.includes("{browser}");
    const browsers = hasBrowsers
      ? ["chromium", "chrome", "edge"] as const
      : ["chromium", "chrome"] as const;
    return browsers.map((browser) => ({
      browser,
      versions: hasVersions ? ["*"] : ["latest", "stable"],
      operatingSystems: ["linux"],
    }));
  },
  unsupported: findUnsupportedWish,
  poolConfig({ timeout, ...config }) {
    const { cpu, memoryGb } = readGroupSize(config);
    return {
      default_resource_limits: {
        // The sessions of a worker share its group.
        ...(config.unit === "session" && { cpu, memory: `${memoryGb}G` }),
        ...(timeout !== undefined && { timeout_minutes: timeout }),
      },
    };
  },
  async deployCommand(spec, config) {
    const { renderAzCommand } = await import("./deploy_command.ts");
    return renderAzCommand(spec, config);
  },
  machines(config) {
    if (config.unit !== "worker") return undefined;
    const { capacity, start_timeout_seconds, sandbox } = config;
    const { management_url, resource_group, subscription_id } = config;
    return {
      // Azure's names have no case.
      place: [management_url, subscription_id, resource_group].join(" ")
        .toLowerCase(),
      capacity,
      startTimeoutSeconds: start_timeout_seconds,
      browsers: {
        provider: "local",
        config: {
          // A group runs its worker as an unprivileged user without user namespaces.
          sandbox: sandbox === "on" ? "on" : "off",
          // Azure gives containers 64 MB of /dev/shm.
          arguments: ["--disable-dev-shm-usage", ...config.arguments],
        },
      },
      async open(info) {
        const { openMachineHost } = await import("./worker/machine_host.ts");
        return openMachineHost(config, info);
      },
    };
  },
  async open(config, info) {
    const { openAzureHost } = await import("./session/host.ts");
    return openAzureHost(config, info);
  },
});
