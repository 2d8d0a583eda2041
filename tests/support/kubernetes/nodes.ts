import { docker } from "../docker.ts";
import type { StoredObject } from "./objects.ts";
import { CLUSTER_LABEL } from "./pod_container.ts";
import { type PodFate, PodRunner } from "./pod_runner.ts";
import type { Store } from "./store.ts";

/** The nodes of a cluster: runs each pod as a real container. */
export class Nodes implements AsyncDisposable {
  /** Course of the pods that are created from now on. */
  fate: PodFate = {};
  readonly #id = crypto.randomUUID();
  readonly #store: Store;
  readonly #runners = new Map<string, PodRunner>();

  constructor(store: Store) {
    this.#store = store;
  }

  run(pod: StoredObject): void {
    const options = { clusterId: this.#id, fate: this.fate };
    this.#runners.set(
      pod.metadata.name,
      new PodRunner(this.#store, pod, options),
    );
  }

  delete(name: string, graceSeconds: number): void {
    this.find(name).delete(graceSeconds);
  }

  /** Returns the runner of a pod. @throws {TypeError} If there is none. */
  find(name: string): PodRunner {
    const runner = this.#runners.get(name);
    if (runner) return runner;
    throw new TypeError(`No pod "${name}" was created`);
  }

  containerId(name: string): string | undefined {
    return this.#runners.get(name)?.containerId;
  }

  /** Lists the containers of the cluster, in any state. */
  async listContainers(): Promise<readonly string[]> {
    const found = await docker.listContainers({
      all: true,
      filters: { label: [`${CLUSTER_LABEL}=${this.#id}`] },
    });
    return found.map(({ Names }) => Names.join());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#runners.values()].map((each) => each.finish()));
  }
}
