import type { BrowserHost } from "../../../src/core/provider.ts";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { docker } from "../docker.ts";
import type { TestMachine } from "../provider_machine.ts";
import { parseAzureConfig } from "./azure_host.ts";
import { AzureServer } from "./azure_server.ts";

/** Opens a machine: a contract server, whose groups are containers of this machine's engine. */
export async function openAzureMachine(): Promise<TestMachine> {
  const azure = await AzureServer.start();
  const hosts: BrowserHost[] = [];
  const config = parseAzureConfig(azure, { unit: "session" });
  const findContainer = (name: string | undefined) =>
    docker.getContainer(azure.groups.get(name ?? "").container?.id ?? "");
  return {
    gridId: crypto.randomUUID(),
    connection: {
      cut: () => azure.cut(),
      stall: () => azure.stall(),
      slow: (ms) => azure.slow(ms),
      mend: () => azure.mend(),
    },
    async openHost(owner) {
      const info = { ...owner, dataDir: "" };
      const host = await azureContainerInstance.open(config, info);
      hosts.push(host);
      return host;
    },
    listResources: () => azure.listResources(),
    kill: ({ details }) => findContainer(details.container_group).kill(),
    freeze: ({ details }) => findContainer(details.container_group).pause(),
    async commandLines({ details }) {
      const container = findContainer(details.container_group);
      const { Processes } = await container.top({ ps_args: "-eo pid,args" });
      return Processes.flat().join("\n");
    },
    async [Symbol.asyncDispose]() {
      await azure.mend();
      for (const host of hosts) await host[Symbol.asyncDispose]();
      await azure[Symbol.asyncDispose]();
    },
  };
}
