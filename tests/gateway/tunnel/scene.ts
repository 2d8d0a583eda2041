import { type Clock, systemClock } from "../../../src/async/clock.ts";
import { deadline } from "../../../src/async/deadline.ts";
import type { SettingsInput } from "../../../src/core/settings.ts";
import type { WorkerProof } from "../../../src/core/worker_proof.ts";
import {
  createTunnelOpener,
  type TunnelClient,
} from "../../../src/worker/tunnel/client.ts";
import type { Reach } from "../../../src/worker/options.ts";
import type { Worker } from "../../../src/worker/worker.ts";
import { eventually } from "../../support/eventually.ts";
import type { FakeProvider } from "../../support/fake_provider.ts";
import type { TestGrid } from "../../support/grid.ts";
import {
  startUpstream,
  type Upstream,
  type UpstreamOptions,
} from "../../support/upstream.ts";
import { type WorkerScene, workerScene } from "../../support/worker.ts";

/** A worker with a tunnel. */
export interface TunnelledWorker {
  readonly worker: Worker;
  readonly tunnel: TunnelClient;
  /** Proof of the worker process. */
  readonly proof: WorkerProof;
}

/** Options of a worker. */
export interface TunnelledOptions {
  readonly name?: string;
  readonly reach?: Reach;
  /** URL that the worker opens its tunnel to. @default The URL of the grid. */
  readonly tunnelUrl?: string;
}

/** A listening grid and workers with tunnels. The reported address of their browsers does not respond, so only the workers reach them. */
export interface TunnelScene extends AsyncDisposable {
  readonly grid: TestGrid;
  readonly provider: FakeProvider;
  /** The browser that the workers connect all sessions to. */
  readonly upstream: Upstream;
  /** Starts a worker; resolves when its tunnel is open. */
  start(options?: TunnelledOptions): Promise<TunnelledWorker>;
  /** Creates a session and waits until it runs. */
  running(): Promise<string>;
  /** Returns the WebSocket URL of a session. */
  toUrl(sessionId: string, grid?: TestGrid): string;
  /** Reads from the API how a session is reached. */
  readReach(sessionId: string): Promise<string | null>;
  /** Resolves when the API returns `reach` for a session. */
  waitForReach(sessionId: string, reach: string): Promise<void>;
  /** Resolves when a worker's tunnel is open, or closed. */
  waitForTunnel(
    worker: Worker,
    state?: { readonly isOpen: boolean },
  ): Promise<void>;
}

/** Options of {@linkcode tunnelScene}. */
export interface TunnelSceneOptions {
  readonly upstream?: UpstreamOptions;
  readonly clock?: Clock;
  readonly settings?: SettingsInput;
}

/** Reported address of all browsers, where no process listens. */
export const UNREACHED = "ws://127.0.0.1:1/devtools/browser/x";

/** Starts the grid and the browser. */
export async function tunnelScene(
  { upstream: upstreamOptions = {}, clock, settings = {} }: TunnelSceneOptions =
    {},
): Promise<TunnelScene> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream(upstreamOptions));
  const scene: WorkerScene = stack.use(
    await workerScene({ settings, ...(clock ? { clock } : {}) }),
  );
  const { grid, provider } = scene;
  provider.knobs.endpoint = new URL(UNREACHED);
  const workers = stack.use(new AsyncDisposableStack());
  const owned = stack.move();
  const get = async (path: string) => await (await grid.request(path)).json();
  const readReach = async (id: string) =>
    (await get(`/v1/sessions/${id}`)).reach;

  async function waitForTunnel({ id }: Worker, { isOpen } = { isOpen: true }) {
    await eventually(
      `the tunnel is ${isOpen ? "open" : "closed"}`,
      async () => {
        const { has_tunnel } = await get(`/v1/workerpool/workers/${id}`);
        return has_tunnel === isOpen;
      },
    );
  }

  return {
    grid,
    provider,
    upstream,
    async start({ name, reach = "auto", tunnelUrl } = {}) {
      const open = createTunnelOpener({ apiUrl: tunnelUrl ?? grid.url });
      const opened = Promise.withResolvers<Omit<TunnelledWorker, "worker">>();
      const worker = workers.use(
        await scene.start({
          ...(name === undefined ? {} : { name }),
          reach,
          openTunnel(parts) {
            const tunnel = open({
              ...parts,
              findAddress: (id) =>
                parts.findAddress(id) && {
                  endpoint: new URL(upstream.endpoint),
                },
            });
            opened.resolve({ tunnel, proof: parts.proof });
            return tunnel;
          },
        }),
      );
      await waitForTunnel(worker);
      return { worker, ...await opened.promise };
    },
    async running() {
      const id = await scene.ask({ max_connections: 10 });
      using timeout = deadline(systemClock, 10_000);
      await grid.sessions.waitUntilStarted(id, {
        read: () => grid.sessions.get(id),
        signal: timeout.signal,
      });
      return id;
    },
    toUrl: (id, at = grid) =>
      `${at.url.replace("http", "ws")}/v1/sessions/${id}/cdp`,
    readReach,
    async waitForReach(id, reach) {
      await eventually(
        `the session is reached: ${reach}`,
        async () => await readReach(id) === reach,
      );
    },
    waitForTunnel,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
