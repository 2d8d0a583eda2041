import type { App } from "../../src/core/app.ts";
import { systemClock } from "../../src/async/clock.ts";
import type { Clock } from "../../src/async/clock.ts";
import type { Middleware } from "../../src/core/middleware.ts";
import type { Provider } from "../../src/core/provider.ts";
import { loadSettings, type SettingsInput } from "../../src/core/settings.ts";
import { type Grid, openGrid } from "../../src/server/grid.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../../src/installed.ts";
import { type HranaServer, startHranaServer } from "./hrana_server.ts";
import { countRequests } from "./under_way.ts";

/** Parts of the real grid that a test replaces. */
export interface TestGridOptions {
  readonly settings?: SettingsInput;
  /** Added to, or in place of, the built-in providers of the same name. */
  readonly providers?: readonly Provider[];
  readonly clock?: Clock;
  /** After the built-in ones. */
  readonly apps?: readonly App[];
  /** After the built-in ones. */
  readonly middleware?: readonly Middleware[];
  /** The folder of its data, which is left behind; by default one of its own. */
  readonly dataDir?: string;
  /** Stores the encryption key in a file of the data folder, as for users. @default {false} */
  readonly hasKeyFile?: boolean;
  /** Listen on a free port. @default {false} */
  readonly listen?: boolean;
}

/** The real server over a real SQLite file in a folder of its own. */
export interface TestGrid extends Grid {
  /** The server's URL; with `listen` only. */
  readonly url: string;
  readonly dataDir: string;
  /** The server before the grid's file, in remote mode: `TEST_DATABASE=remote`. */
  readonly remote: HranaServer | undefined;
  /**
   * Sends a request to the router without a socket, as a client at the address `from` (127.0.0.1). An object `json`
   * becomes the body.
   */
  request(
    path: string,
    init?: RequestInit & { readonly json?: unknown; readonly from?: string },
  ): Promise<Response>;
}

/** True if grids use their file through a libSQL server by HTTP, like a hosted database. */
export const IS_REMOTE: boolean = Deno.env.get("TEST_DATABASE") === "remote";

/** Encryption key of the databases of tests. */
export const TEST_KEY: string = "5e".repeat(32);

if (IS_REMOTE) countRequests();

/** Returns the provider without machines in the real Azure, which no test contacts. */
function withoutAzure(provider: Provider): Provider {
  if (provider.machines === undefined) return provider;
  return {
    ...provider,
    machines(config) {
      const machines = provider.machines?.(config);
      const isReal = config.management_url === "https://management.azure.com";
      return machines && isReal
        ? {
          ...machines,
          open: () => Promise.reject(new Error("Tests have no Azure")),
        }
        : machines;
    },
  };
}

/** Starts a grid that leaves nothing behind when it is disposed. */
export async function testGrid(
  options: TestGridOptions = {},
): Promise<TestGrid> {
  await using stack = new AsyncDisposableStack();
  const dataDir = options.dataDir ??
    await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  if (options.dataDir === undefined) {
    stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  }
  const remote = IS_REMOTE
    ? stack.use(await startHranaServer({ path: `${dataDir}/browsergrid.db` }))
    : undefined;
  stack.defer(() => {
    const { batons = 0 } = remote ?? {};
    if (batons > 0) {
      throw new Error(
        `${batons} requests have left a transaction open at the database`,
      );
    }
  });
  const { settings } = loadSettings({
    defaults: {
      data_dir: dataDir,
      port: 0,
      log_level: "error",
      // All grids share one, since several grids of a test may share a database.
      ...(options.hasKeyFile ? {} : { encryption_key: TEST_KEY }),
      ...(remote ? { database_url: remote.url } : {}),
    },
    env: {},
    flags: options.settings ?? {},
  });
  const own = options.providers ?? [];
  const names = new Set(own.map(({ name }) => name));
  const grid = stack.use(
    await openGrid(settings, {
      apps: [...APPS, ...options.apps ?? []],
      middleware: [...MIDDLEWARE, ...options.middleware ?? []],
      providers: [
        ...PROVIDERS.filter(({ name }) => !names.has(name)).map(withoutAzure),
        ...own,
      ],
      version: "0.0.0-test",
      clock: options.clock ?? systemClock,
    }),
  );
  const url = options.listen ? await grid.listen() : "";
  const owned = stack.move();
  return {
    ...grid,
    url,
    dataDir,
    remote,
    request: async (path, { json, from = "127.0.0.1", ...init } = {}) =>
      await grid.router.request(path, {
        ...init,
        ...(json === undefined ? {} : {
          body: JSON.stringify(json),
          headers: { "content-type": "application/json", ...init.headers },
        }),
      }, { remoteAddr: { hostname: from } }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
