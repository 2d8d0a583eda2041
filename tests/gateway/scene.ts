import { type Api, createApiClient } from "../support/api.ts";
import {
  type TestGrid,
  testGrid,
  type TestGridOptions,
} from "../support/grid.ts";
import {
  startUpstream,
  type Upstream,
  type UpstreamOptions,
} from "../support/upstream.ts";

/** A listening grid with a session that runs on a synthetic browser. */
export interface GatewayScene extends AsyncDisposable {
  readonly grid: TestGrid;
  readonly api: Api;
  readonly upstream: Upstream;
  readonly sessionId: string;
  /** WebSocket URL of the session. */
  readonly url: string;
}

/** Options of {@linkcode gatewayScene}. */
export interface SceneOptions {
  readonly upstream?: UpstreamOptions;
  readonly grid?: TestGridOptions;
  /** Body of the session. */
  readonly session?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a grid, a browser and a session. */
export async function gatewayScene(
  options: SceneOptions = {},
): Promise<GatewayScene> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream(options.upstream));
  const grid = stack.use(await testGrid({ listen: true, ...options.grid }));
  const api = createApiClient(grid, options.headers);
  await api.pool();
  const { claimed: { id } } = await api.running(
    options.session,
    upstream.endpoint,
  );
  const owned = stack.move();
  return {
    grid,
    api,
    upstream,
    sessionId: id,
    url: `${grid.url.replace("http", "ws")}/v1/sessions/${id}/cdp`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
