import type { BrowserHost } from "../../../src/core/provider.ts";
import { docker as dockerProvider } from "../../../src/providers/docker/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { docker, dockerMissing, listContainers } from "../../support/docker.ts";
import { startEngineProxy } from "../../support/engine_proxy.ts";
import { testProvider } from "../../support/provider_contract.ts";
import { testProviderFaults } from "../../support/provider_faults.ts";
import type {
  ProviderUnderTest,
  TestMachine,
} from "../../support/provider_machine.ts";

/** Opens a simulated machine: the containers of its grids on the engine of this machine. */
async function openMachine(): Promise<TestMachine> {
  const gridId = crypto.randomUUID();
  const grids = new Set<string>([gridId]);
  const hosts: BrowserHost[] = [];
  const proxy = await startEngineProxy();
  const containers = async () =>
    (await Promise.all([...grids].map(listContainers))).flat();
  return {
    gridId,
    connection: proxy,
    async openHost(owner) {
      grids.add(owner.gridId);
      const config = dockerProvider.configSchema.parse({
        pull: "never",
        docker_host: proxy.dockerHost,
      });
      const host = await dockerProvider.open(config, { ...owner, dataDir: "" });
      hosts.push(host);
      return host;
    },
    listResources: containers,
    kill: ({ details }) =>
      docker.getContainer(details.container_id ?? "").kill(),
    freeze: ({ details }) =>
      docker.getContainer(details.container_id ?? "").kill({
        signal: "SIGSTOP",
      }),
    async commandLines({ details }) {
      const container = docker.getContainer(details.container_id ?? "");
      const { Processes } = await container.top({ ps_args: "-eo pid,args" });
      return Processes.flat().join("\n");
    },
    async [Symbol.asyncDispose]() {
      await proxy.mend();
      for (const host of hosts) {
        await host.sweep(new Set());
        await host[Symbol.asyncDispose]();
      }
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const provider: ProviderUnderTest = {
  open: openMachine,
  spec: browserSpec,
  skip: dockerMissing,
};

testProvider("docker", provider);
testProviderFaults("docker", provider);
