/**
 * A Kubernetes API for tests, with real containers of the Docker engine as pods.
 *
 * ```text
 * api_server.ts -> store.ts (objects, versions) -> watches.ts
 *       |-> validate.ts (published schemas), api_faults.ts, table.ts and discovery.ts (kubectl)
 *       +-> nodes.ts -> pod_runner.ts -> containers
 * ```
 *
 * @module
 */
import { ApiFaults } from "./api_faults.ts";
import { ApiServer } from "./api_server.ts";
import { Nodes } from "./nodes.ts";
import { Store } from "./store.ts";

/** Namespace that every cluster has. */
export const NAMESPACE = "browsers";

/** A cluster with one namespace. Disposal removes its containers. */
export interface TestCluster extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly store: Store;
  readonly nodes: Nodes;
  readonly server: ApiServer;
  readonly faults: ApiFaults;
  /** Returns the configuration of a pool in this cluster. */
  config(more?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Lists pods, secrets and containers. */
  listResources(): Promise<readonly string[]>;
}

/** Starts a cluster. */
export async function startCluster(): Promise<TestCluster> {
  const store = new Store();
  store.create("namespaces", "", {
    kind: "Namespace",
    metadata: { name: NAMESPACE },
  });
  const nodes = new Nodes(store);
  const faults = new ApiFaults();
  const server = new ApiServer(store, nodes, faults);
  const port = await server.listen();
  const url = `http://127.0.0.1:${port}`;
  const token = "contract-token";
  return {
    port,
    url,
    token,
    store,
    nodes,
    server,
    faults,
    config: (more = {}) => ({
      api_server: url,
      token,
      namespace: NAMESPACE,
      reach: "address",
      pull: "never",
      ...more,
    }),
    async listResources() {
      const objects = [...store.list("pods"), ...store.list("secrets")];
      const names = objects.map(({ metadata }) => metadata.name);
      return [...names, ...await nodes.listContainers()];
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await nodes[Symbol.asyncDispose]();
    },
  };
}
