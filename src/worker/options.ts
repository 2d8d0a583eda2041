import type { Clock } from "../async/clock.ts";
import type { GridClient } from "../client/client.ts";
import type { LocalSandbox, Provider } from "../core/provider.ts";
import type { Registry } from "../core/registry.ts";
import type { Tracer } from "../core/trace/tracer.ts";
import type { StateStore } from "./state_file.ts";
import type { TunnelOpener } from "./tunnel/client.ts";

/** The path from the server to a worker's browsers: their address, the worker's tunnel, or whichever works. */
export type Reach = "auto" | "direct" | "tunnel";

/** Options of a worker. */
export interface WorkerStartOptions {
  readonly client: GridClient;
  readonly providers: Registry<Provider>;
  readonly clock: Clock;
  /** Id or name of the work pool. */
  readonly workPoolId: string;
  /** Id of the worker, which may be a new one. */
  readonly workerId?: string | undefined;
  readonly workerName?: string | undefined;
  readonly capacity: number;
  /** Maximum time between heartbeats; also limits the pause after a failed claim. */
  readonly pollIntervalSeconds: number;
  readonly dataDir: string;
  /** Store of the worker's identity; the worker disposes it. @default {a file in `dataDir`} */
  readonly state?: StateStore | undefined;
  readonly version: string;
  /** Selects the sessions that are isolated from this host. @default {"auto"} */
  readonly localSandbox?: LocalSandbox | undefined;
  /** URL of the server, which isolated sessions must not reach. */
  readonly serverUrl?: string | undefined;
  /** Path from the server to the browsers. @default {"auto"} */
  readonly reach?: Reach | undefined;
  /** Opens the worker's tunnel. Without it, browsers are reached directly only. */
  readonly openTunnel?: TunnelOpener | undefined;
  /** Time that running sessions have to end after {@linkcode Worker.drain}. @default {the server's setting} */
  readonly drainTimeoutSeconds?: number | undefined;
  /** Records the spans of starts. @default none */
  readonly tracer?: Tracer | undefined;
  /** Ends the wait for a server during the start. */
  readonly signal?: AbortSignal | undefined;
}

/** Returns the path that the worker registers with. Without a tunnel that is "direct". */
export function resolveReach(
  { reach = "auto", openTunnel }: Pick<
    WorkerStartOptions,
    "reach" | "openTunnel"
  >,
): Reach {
  return openTunnel ? reach : "direct";
}
