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
  /** What proves to the server that it is this worker. */
  readonly proof: WorkerProof;
}

/** How a worker of the scene is started. */
export interface TunnelledOptions {
  readonly name?: string;
  readonly reach?: Reach;
  /** Where its tunnel leads, in place of the grid's own URL. */
  readonly tunnelUrl?: string;
}

/** A listening grid, and workers whose browsers they alone reach: by the address that is reported, nobody listens. */
export interface TunnelScene extends AsyncDisposable {
  readonly grid: TestGrid;
  readonly provider: FakeProvider;
  /** What workers reach as the browser of every session. */
  readonly upstream: Upstream;
  /** Starts a worker; resolves when its tunnel is up. */
  start(options?: TunnelledOptions): Promise<TunnelledWorker>;
  /** A session that runs. */
  running(): Promise<string>;
  /** Where clients of a session connect. */
  toUrl(sessionId: string, grid?: TestGrid): string;
  /** How a session is reached, as the API shows it. */
  reachOf(sessionId: string): Promise<string | null>;
  /** Resolves when a session is reached so. */
  untilReached(sessionId: string, reach: string): Promise<void>;
  /** Resolves when a worker's tunnel is up, or is not. */
  untilTunnel(
    worker: Worker,
    state?: { readonly isUp: boolean },
  ): Promise<void>;
}

/** What a scene changes. */
export interface TunnelSceneOptions {
  readonly upstream?: UpstreamOptions;
  readonly clock?: Clock;
  readonly settings?: SettingsInput;
}

/** The browser of every session, by an address where nobody listens. */
export const UNREACHED = "ws://127.0.0.1:1/devtools/browser/x";

/** Sets the scene. */
export async function tunnelScene(
  { upstream: how = {}, clock, settings = {} }: TunnelSceneOptions = {},
): Promise<TunnelScene> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream(how));
  const scene: WorkerScene = stack.use(
    await workerScene({ settings, ...(clock ? { clock } : {}) }),
  );
  const { grid, provider } = scene;
  provider.knobs.endpoint = new URL(UNREACHED);
  const workers = stack.use(new AsyncDisposableStack());
  const owned = stack.move();
  const get = async (path: string) => await (await grid.request(path)).json();
  const reachOf = async (id: string) => (await get(`/v1/sessions/${id}`)).reach;

  async function untilTunnel({ id }: Worker, { isUp } = { isUp: true }) {
    await eventually(`the tunnel is ${isUp ? "up" : "down"}`, async () => {
      const { has_tunnel } = await get(`/v1/workerpool/workers/${id}`);
      return has_tunnel === isUp;
    });
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
      await untilTunnel(worker);
      return { worker, ...await opened.promise };
    },
    async running() {
      const id = await scene.ask({ max_connections: 10 });
      using timeout = deadline(systemClock, 10_000);
      await grid.sessions.waitUntilStarted(id, timeout.signal);
      return id;
    },
    toUrl: (id, at = grid) =>
      `${at.url.replace("http", "ws")}/v1/sessions/${id}/cdp`,
    reachOf,
    async untilReached(id, reach) {
      await eventually(
        `it is reached: ${reach}`,
        async () => await reachOf(id) === reach,
      );
    },
    untilTunnel,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
