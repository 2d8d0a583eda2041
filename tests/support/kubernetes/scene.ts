import type { BrowserHost } from "../../../src/core/provider.ts";
import { browserSpec } from "../browser_spec.ts";
import { dockerMissing } from "../docker.ts";
import { declareProviderTest } from "../provider_machine.ts";
import { type ClusterMachine, openClusterMachine } from "./machine.ts";

/** A cluster with a host of `worker-1`. */
export interface ClusterScene extends AsyncDisposable {
  readonly machine: ClusterMachine;
  readonly cluster: ClusterMachine["cluster"];
  readonly host: BrowserHost;
}

/** Opens a cluster, and a host with more configuration of its pool. */
export async function openClusterScene(
  config: Readonly<Record<string, unknown>> = {},
): Promise<ClusterScene> {
  const machine = await openClusterMachine();
  const owner = { gridId: machine.gridId, workerId: "worker-1" };
  return {
    machine,
    cluster: machine.cluster,
    host: await machine.openHost(owner, config),
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

/** Declares a test of a cluster, which is skipped with the reason where there is no Docker engine. */
export function clusterTest(title: string, fn: () => Promise<void>): void {
  const spec = browserSpec;
  const provider = { open: openClusterMachine, spec, skip: dockerMissing };
  declareProviderTest(title, provider, fn);
}
