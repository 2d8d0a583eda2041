import {
  type ChaosGrid,
  chaosGrid,
  type ChaosServer,
  type ChaosWorkerOptions,
  LOCAL,
} from "../support/chaos_grid.ts";
import { dockerMissing } from "../support/docker.ts";
import { layLink, type Link } from "../support/link.ts";
import type { ChaosWorker } from "../support/chaos_grid.ts";

/** Name of the pool whose browsers are in containers. */
export const CONTAINERS = "containers";

/** Two servers on one database and a worker at each, one of them behind a link; with an engine, one for containers. */
export interface Scene extends AsyncDisposable {
  readonly grid: ChaosGrid;
  readonly second: ChaosServer;
  readonly link: Link;
  /** The pools that have a worker. */
  readonly pools: readonly string[];
  /** Starts the second server again. */
  startSecond(): Promise<void>;
  /** The worker that runs as `options` say. */
  worker(options: ChaosWorkerOptions): ChaosWorker;
  readonly linked: ChaosWorkerOptions;
  readonly direct: ChaosWorkerOptions;
  /** Undefined: there is no engine here. */
  readonly containers: ChaosWorkerOptions | undefined;
}

/** Sets the scene. */
export async function setScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const hasEngine = dockerMissing === undefined;
  const pools = [{ name: CONTAINERS, provider_type: "docker" }];
  const grid = stack.use(await chaosGrid({ pools: hasEngine ? pools : [] }));
  let second = await grid.startSecondServer();
  const link = stack.use(await layLink(grid.url));
  const linked = { name: "linked", apiUrl: link.url };
  const direct = { name: "direct", apiUrl: second.url };
  const containers = hasEngine ? { pool: CONTAINERS } : undefined;
  for (const options of [linked, direct, containers]) {
    if (options) await grid.startWorker(options);
  }
  const owned = stack.move();
  return {
    grid,
    get second() {
      return second;
    },
    link,
    pools: hasEngine ? [LOCAL, CONTAINERS] : [LOCAL],
    linked,
    direct,
    containers,
    async startSecond() {
      second = await grid.startSecondServer();
    },
    worker(options) {
      const found = grid.workers.find((worker) => worker.options === options);
      if (!found) throw new TypeError("There is no such worker");
      return found;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
