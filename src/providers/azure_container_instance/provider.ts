import { z } from "@hono/zod-openapi";
import { defineProvider } from "../../core/provider.ts";

/**
 * The provider `azure_container_instance`, which starts no browsers yet.
 *
 * Its pools can be configured, with a warning, and the `az` command for a browser can be printed. Sessions are rejected,
 * because it offers no browser.
 */
export const azureContainerInstance = defineProvider({
  name: "azure_container_instance",
  displayName: "Azure Container Instances",
  description:
    "Pools for Azure container groups; this version starts no browsers in them",
  configSchema: z.strictObject({
    resource_group: z.string().min(1).describe("Resource group"),
    location: z.string().min(1).default("eastus").describe("Region"),
    subscription_id: z.string().min(1).describe("Subscription"),
    image: z.string().min(1).default("browsergrid/chromium:latest").describe(
      "Image in a registry that Azure can reach",
    ),
    cpu: z.number().gt(0).max(4).default(1).describe(
      "CPU cores of a container",
    ),
    memory_gb: z.number().gt(0).max(16).default(2).describe(
      "Memory of a container in GB",
    ),
  }),
  browsers: () => [],
  poolConfig: ({ cpu, memory_gb }) => ({
    default_resource_limits: { cpu, memory: `${memory_gb}G` },
  }),
  deployCommand(spec, config) {
    const variables = Object.keys(spec.environment).map((name) => `${name}=…`);
    return [
      "az container create",
      `--subscription ${config.subscription_id}`,
      `--resource-group ${config.resource_group}`,
      `--location ${config.location}`,
      "--name browsergrid-session",
      `--image ${config.image}`,
      `--cpu ${spec.cpu ?? config.cpu}`,
      `--memory ${
        spec.memoryBytes ? spec.memoryBytes / 2 ** 30 : config.memory_gb
      }`,
      "--ports 9222",
      ...(variables.length > 0
        ? [`--secure-environment-variables ${variables.join(" ")}`]
        : []),
    ].join(" ");
  },
  open: () =>
    Promise.reject(
      new Error(
        "Cannot start browsers in Azure: this version does not support it, expected a pool of provider local or docker",
      ),
    ),
});
