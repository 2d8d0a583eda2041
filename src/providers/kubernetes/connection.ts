import { join } from "node:path";
import type { HostInfo } from "../../core/provider.ts";
import { makeShortFolder } from "../kit/short_folder.ts";
import type { KubernetesClient } from "./api/client.ts";
import type { Cluster } from "./api/cluster.ts";
import { PodWatch } from "./api/pod_watch.ts";
import { PortForwards } from "./api/port_forward.ts";
import type { KubernetesConfig } from "./config.ts";
import { PodReaper } from "./pod/reaper.ts";

/** The parts that the pods of one host share: client, watch, reaper and port-forwards. */
export class Connection implements AsyncDisposable {
  readonly client: KubernetesClient;
  readonly watch: PodWatch;
  readonly reaper: PodReaper;
  /** Undefined if pods are reached at their addresses. */
  readonly forwards: PortForwards | undefined;

  private constructor(
    parts: Pick<Connection, "client" | "watch" | "reaper" | "forwards">,
  ) {
    this.client = parts.client;
    this.watch = parts.watch;
    this.reaper = parts.reaper;
    this.forwards = parts.forwards;
  }

  /** Sends no request. */
  static async open(
    client: KubernetesClient,
    { labelSelector, usesPortForward, info, abandoned }: {
      readonly labelSelector: string;
      readonly usesPortForward: boolean;
      readonly info: HostInfo;
      /** Ends deletions. */
      readonly abandoned: AbortSignal;
    },
  ): Promise<Connection> {
    const watch = new PodWatch(client, labelSelector);
    return new Connection({
      client,
      watch,
      reaper: new PodReaper(client, watch, abandoned),
      forwards: usesPortForward
        ? await PortForwards.create(client, await makeSocketFolder(info))
        : undefined,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reaper.idle();
    await this.watch[Symbol.asyncDispose]();
    await this.forwards?.[Symbol.asyncDispose]();
  }
}

/** Reports whether pods are reached through the API server. */
export function usesPortForward(
  { reach }: Pick<KubernetesConfig, "reach">,
  { isInCluster }: Pick<Cluster, "isInCluster">,
): boolean {
  return reach === "auto" ? !isInCluster : reach === "port_forward";
}

async function makeSocketFolder(
  { dataDir, gridId, workerId }: HostInfo,
): Promise<string> {
  const owner = join(dataDir, "kubernetes", gridId, workerId);
  await Deno.mkdir(owner, { recursive: true, mode: 0o700 });
  return await makeShortFolder(owner);
}
