import type {
  BrowserHost,
  RunningBrowser,
} from "../../../src/core/provider.ts";
import { kubernetes } from "../../../src/providers/kubernetes/provider.ts";
import { docker } from "../docker.ts";
import { startFaultyLink } from "../faulty_link.ts";
import { freePort } from "../free_port.ts";
import type { Owner, TestMachine } from "../provider_machine.ts";
import { startCluster, type TestCluster } from "./cluster.ts";

/** A machine of the contract suite whose browsers are pods, behind a link that can fail. */
export interface ClusterMachine extends TestMachine {
  readonly cluster: TestCluster;
  /** Opens the provider with more configuration. */
  openHost(
    owner: Owner,
    config?: Readonly<Record<string, unknown>>,
  ): Promise<BrowserHost>;
}

/** Starts a cluster for hosts of one grid. */
export async function openClusterMachine(): Promise<ClusterMachine> {
  const cluster = await startCluster();
  const port = freePort();
  const link = await startFaultyLink({
    listenOn: { port, host: "127.0.0.1" },
    target: { port: cluster.port, host: "127.0.0.1" },
  });
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-kube-" });
  const hosts: BrowserHost[] = [];
  const findContainer = ({ details }: RunningBrowser) =>
    docker.getContainer(cluster.nodes.containerId(details.pod ?? "") ?? "");
  return {
    cluster,
    gridId: crypto.randomUUID(),
    connection: link,
    async openHost(owner, more = {}) {
      const host = await kubernetes.open(
        kubernetes.configSchema.parse(
          cluster.config({ api_server: `http://127.0.0.1:${port}`, ...more }),
        ),
        { ...owner, dataDir },
      );
      hosts.push(host);
      return host;
    },
    listResources: cluster.listResources,
    kill: async (browser) => {
      await findContainer(browser).kill();
    },
    freeze: async (browser) => {
      await findContainer(browser).kill({ signal: "SIGSTOP" });
    },
    async commandLines(browser) {
      const { Processes } = await findContainer(browser).top({
        ps_args: "-eo pid,args",
      });
      return Processes.flat().join("\n");
    },
    async [Symbol.asyncDispose]() {
      await link.mend();
      for (const host of hosts) {
        await host.sweep(new Set()).catch(() => {});
        await host[Symbol.asyncDispose]();
      }
      await link[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}
