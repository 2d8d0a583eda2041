import type { OpenAPIHono } from "@hono/zod-openapi";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Auth } from "./auth.ts";
import type { Bus } from "./bus.ts";
import type { Clock } from "./clock.ts";
import type { Database } from "./db/client.ts";
import type { GridEnv } from "./middleware.ts";
import type { Provider } from "./provider.ts";
import type { Named, Registry } from "./registry.ts";
import type { Settings } from "./settings.ts";
import type { UpgradeContext } from "./upgrade_gate.ts";

/** What every app is given. Nothing in it knows any app. */
export interface Core {
  readonly settings: Settings;
  readonly db: Database;
  /** The server's clock, the only one that counts. */
  readonly clock: Clock;
  readonly bus: Bus;
  readonly auth: Auth;
  readonly providers: Registry<Provider>;
  /** URL under which clients reach this server, without a slash at the end; known once it listens. */
  readonly publicUrl: () => string;
  /** Aborted when the server begins to stop: whatever waits for long ends then. */
  readonly stopping: AbortSignal;
  /** What an app set up earlier exports to others; fails at start if it is not installed. */
  use<M>(app: App<M>): M;
}

/** One part of the server, with its tables, its endpoints for each API version and its start hook. */
export interface App<M = unknown> extends Named {
  readonly verboseName: string;
  /** Folder of the app's SQL migrations, when they are not among the project's own. */
  readonly migrations?: URL;
  setup(core: Core): InstalledApp<M>;
}

/** An {@linkcode App} wired to one {@linkcode Core}. */
export interface InstalledApp<M = unknown> {
  /** What other apps may call. */
  readonly manager: M;
  /** Endpoints by API version: `{ v1: … }` is mounted under `/v1`. */
  readonly routes?: Readonly<Record<string, OpenAPIHono<GridEnv>>>;
  /** Groups that its endpoints stand in in the description of the API, with a sentence each. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Takes over a socket that asks for an upgrade and has passed the middleware. `false`: not mine. */
  upgrade?(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    context: UpgradeContext,
  ): Promise<boolean>;
  /** Starts background work once every app is set up; disposed in reverse order at shutdown. */
  ready?(): AsyncDisposable;
}

/** Declares an app with its manager's type inferred. */
export function defineApp<M>(app: App<M>): App<M> {
  return app;
}

/** Sets up `apps` in order. */
export function installApps(
  base: Omit<Core, "use">,
  apps: Iterable<App>,
): Map<App, InstalledApp> {
  const installed = new Map<App, InstalledApp>();
  for (const app of apps) {
    const core: Core = { ...base, use: (needed) => find(needed, app) };
    installed.set(app, app.setup(core));
  }
  return installed;

  function find<M>(needed: App<M>, by: App): M {
    const found = installed.get(needed);
    if (!found) {
      throw new TypeError(
        `Cannot set up app "${by.name}": it needs "${needed.name}" before it`,
      );
    }
    // `setup` of an App<M> made it; the map cannot say so.
    return found.manager as M;
  }
}
