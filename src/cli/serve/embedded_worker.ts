import { systemClock } from "../../async/clock.ts";
import { createClient } from "../../client/client.ts";
import type { Provider } from "../../core/provider.ts";
import { Registry } from "../../core/registry.ts";
import type { Settings } from "../../core/settings.ts";
import type { Grid } from "../../server/grid.ts";
import {
  createTunnelOpener,
  type TunnelServer,
} from "../../worker/tunnel/client.ts";
import { Worker } from "../../worker/worker.ts";
import { VERSION } from "../version.ts";
import { createLocalFetch } from "./local_fetch.ts";

/** Name of the pool that `--with-worker` serves. */
const DEFAULT_POOL = "default";

/** The parts of a server that its embedded worker needs. */
export interface EmbeddedWorkerOptions {
  readonly grid: Grid;
  readonly server: TunnelServer;
  readonly settings: Settings;
  readonly providers: readonly Provider[];
  /** Name of the provider. */
  readonly provider: string;
  readonly capacity: number;
  readonly workerName: string | undefined;
}

/** Starts a worker in the process of the server. Creates its pool if it is missing. */
export async function startEmbeddedWorker(
  options: EmbeddedWorkerOptions,
): Promise<Worker> {
  const { grid, server, settings, provider } = options;
  const client = createClient({ ...server, fetch: createLocalFetch(grid) });
  const pool = provider === "local"
    ? DEFAULT_POOL
    : `${DEFAULT_POOL}-${provider}`;
  if (!await hasPool(grid, pool)) {
    await client.createPool({
      name: pool,
      provider_type: provider,
      description: "Made by serve --with-worker",
      default_headless: true,
    }).catch((error) => {
      // Another server of the grid may have created it first.
      if (!hasCode(error, "pool_name_taken")) throw error;
    });
  }
  const worker = await Worker.start({
    client,
    providers: new Registry("provider", options.providers),
    clock: systemClock,
    workPoolId: pool,
    workerName: options.workerName,
    capacity: options.capacity,
    pollIntervalSeconds: 10,
    dataDir: settings.data_dir,
    localSandbox: settings.local_sandbox,
    serverUrl: server.apiUrl,
    // Isolated browsers are reachable only through the tunnel.
    openTunnel: createTunnelOpener(server),
    version: VERSION,
    tracer: grid.core.tracer?.forScope("browsergrid.worker"),
  });
  grid.core.localWorkers.set(worker.id, (id) => worker.findSocketPath(id));
  return worker;
}

/** Asks the manager directly, because a request for a missing pool would be logged. */
async function hasPool(grid: Grid, name: string): Promise<boolean> {
  try {
    await grid.pools.get(name);
    return true;
  } catch (error) {
    if (hasCode(error, "pool_not_found")) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
