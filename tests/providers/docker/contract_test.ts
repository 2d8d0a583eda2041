import type { BrowserHost } from "../../../src/core/provider.ts";
import { docker as dockerProvider } from "../../../src/providers/docker/provider.ts";
import {
  browserSpec,
  containersOf,
  docker,
  dockerMissing,
} from "../../support/docker.ts";
import { type Ground, testProvider } from "../../support/provider_contract.ts";

/** The engine of this machine, as far as the grids of this ground use it. */
function openGround(): Promise<Ground> {
  const gridId = crypto.randomUUID();
  const grids = new Set<string>([gridId]);
  const hosts: BrowserHost[] = [];
  const containers = async () =>
    (await Promise.all([...grids].map(containersOf))).flat();
  return Promise.resolve({
    gridId,
    async openHost(owner) {
      grids.add(owner.gridId);
      const config = dockerProvider.configSchema.parse({ pull: "never" });
      const host = await dockerProvider.open(config, { ...owner, dataDir: "" });
      hosts.push(host);
      return host;
    },
    left: containers,
    kill: ({ details }) =>
      docker.getContainer(details.container_id ?? "").kill(),
    async commandLines({ details }) {
      const container = docker.getContainer(details.container_id ?? "");
      const { Processes } = await container.top({ ps_args: "-eo pid,args" });
      return Processes.flat().join("\n");
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) {
        await host.sweep(new Set());
        await host[Symbol.asyncDispose]();
      }
    },
  });
}

testProvider("docker", {
  open: openGround,
  spec: browserSpec,
  skip: dockerMissing,
});
