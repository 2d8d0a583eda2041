import type { BrowserHost } from "../../../src/core/provider.ts";
import type {
  MachineHost,
  MachineHostInfo,
} from "../../../src/core/provider/machines.ts";
import type { AzureConfig } from "../../../src/providers/azure_container_instance/config.ts";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { AzureServer } from "./azure_server.ts";

/** The opened provider with unit session, and the contract server that it uses. Disposal removes what it left. */
export interface TestAzureHost extends AsyncDisposable {
  readonly azure: AzureServer;
  readonly host: BrowserHost;
}

/** Returns the configuration of a pool at a contract server. */
export function parseAzureConfig(
  azure: AzureServer,
  config: Readonly<Record<string, unknown>> = {},
): AzureConfig {
  return azureContainerInstance.configSchema.parse({
    ...azure.config,
    ...config,
  });
}

/** Starts a contract server and opens the provider with unit session on it. */
export async function testAzureHost(
  config: Readonly<Record<string, unknown>> = {},
): Promise<TestAzureHost> {
  const azure = await AzureServer.start();
  const host = await azureContainerInstance.open(
    parseAzureConfig(azure, { unit: "session", ...config }),
    { gridId: "grid-1", workerId: "worker-1", dataDir: "" },
  );
  return {
    azure,
    host,
    async [Symbol.asyncDispose]() {
      await azure.mend();
      await host[Symbol.asyncDispose]();
      await azure[Symbol.asyncDispose]();
    },
  };
}

/** Opens the machines of a pool at a contract server. */
export async function openTestMachines(
  azure: AzureServer,
  config: Readonly<Record<string, unknown>> = {},
  info: MachineHostInfo = { gridId: "grid-1", poolId: "pool-1" },
): Promise<MachineHost> {
  const machines = azureContainerInstance.machines?.(
    parseAzureConfig(azure, { unit: "worker", ...config }),
  );
  if (!machines) throw new Error("The provider has no machines");
  return await machines.open(info);
}
