import type Docker from "dockerode";
import type { BrowserHost } from "../../src/core/provider.ts";
import { docker as dockerProvider } from "../../src/providers/docker/provider.ts";
import { startEngineProxy } from "./engine_proxy.ts";
import type { TestMachine } from "./provider_machine.ts";

/** An engine on which a machine is simulated. */
export interface MachineEngine {
  /** A client of the engine beside the provider. */
  readonly docker: Docker;
  /** Path of its socket. @default {"/var/run/docker.sock"} */
  readonly socket?: string;
  /** Lists the containers of a grid, in any state. */
  readonly listContainers: (gridId: string) => Promise<string[]>;
  /** Columns of `ps` for the command lines of a container's processes. */
  readonly psArguments: string;
}

/** Opens a simulated machine of the docker provider: the containers of its grids on an engine. */
export async function openDockerMachine(
  { docker, socket, listContainers, psArguments }: MachineEngine,
): Promise<TestMachine> {
  const gridId = crypto.randomUUID();
  const grids = new Set<string>([gridId]);
  const hosts: BrowserHost[] = [];
  const proxy = await startEngineProxy(socket);
  const dataDir = await Deno.makeTempDir({ prefix: "docker-machine-" });
  return {
    gridId,
    connection: proxy,
    async openHost(owner) {
      grids.add(owner.gridId);
      const config = dockerProvider.configSchema.parse({
        pull: "never",
        docker_host: proxy.dockerHost,
      });
      const host = await dockerProvider.open(config, { ...owner, dataDir });
      hosts.push(host);
      return host;
    },
    async listResources() {
      return (await Promise.all([...grids].map(listContainers))).flat();
    },
    kill: ({ details }) =>
      docker.getContainer(details.container_id ?? "").kill(),
    freeze: ({ details }) =>
      docker.getContainer(details.container_id ?? "").kill({
        signal: "SIGSTOP",
      }),
    async commandLines({ details }) {
      const container = docker.getContainer(details.container_id ?? "");
      const { Processes } = await container.top({ ps_args: psArguments });
      return Processes.flat().join("\n");
    },
    async [Symbol.asyncDispose]() {
      await proxy.mend();
      for (const host of hosts) {
        await host.sweep(new Set());
        await host[Symbol.asyncDispose]();
      }
      await proxy[Symbol.asyncDispose]();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}
