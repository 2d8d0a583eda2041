import type { OpenAPIHono, z } from "@hono/zod-openapi";
import { checkInstalled } from "../http/installed_shape.ts";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { hasRole } from "../http/auth/access.ts";
import { AppOptions } from "../http/app_options.ts";
import { ANONYMOUS, type Auth, type Role } from "../http/auth/auth.ts";
import type { Bus } from "./bus.ts";
import type { Clock } from "../async/clock.ts";
import type { Database } from "../db/client.ts";
import { isBuiltIn, type Problems } from "./errors.ts";
import type { GridEnv } from "./middleware.ts";
import type { Provider } from "./provider.ts";
import type { Named, Registry } from "./registry.ts";
import type { Secrets } from "../db/secrets.ts";
import type { Settings } from "./settings.ts";
import type { UpgradeContext } from "../http/server/upgrade_gate.ts";

/** What every app is given. Nothing in it knows any app. */
export interface Core {
  readonly settings: Settings;
  readonly db: Database;
  /** The server's clock, the only one that counts. */
  readonly clock: Clock;
  readonly bus: Bus;
  readonly auth: Auth;
  /** Encrypts values that must not be readable in a copy of the database. */
  readonly secrets: Secrets;
  readonly providers: Registry<Provider>;
  /** URL under which clients reach this server, without a slash at the end; known once it listens. */
  readonly publicUrl: () => string;
  /** URL under which the other servers of the grid reach this one, without a slash at the end; known once it listens. */
  readonly replicaUrl: () => string;
  /** Workers in this process, by id. Each returns the path of the unix socket of a session's isolated browser. */
  readonly localWorkers: Map<string, (sessionId: string) => string | undefined>;
  /** Aborted when the server begins to stop: whatever waits for long ends then. */
  readonly stopping: AbortSignal;
  /**
   * What an app set up earlier exports to others. A plugin, which cannot import the app, gives its name.
   *
   * @throws {TypeError} If the app is not installed, or stands later.
   */
  use<M>(app: App<M> | string): M;
}

/** What one app is given. */
export interface AppCore extends Core {
  /**
   * The app's options in the setting `app_options`, where every one that `schema` has a default for may be left out.
   *
   * @throws {SettingsError} If they are not as `schema` says.
   */
  options<O extends z.ZodObject>(schema: O): z.infer<O>;
}

/** One part of the server, with its tables, its endpoints for each API version and its start hook. */
export interface App<M = unknown> extends Named {
  /** The app's name as people read it. */
  readonly verboseName: string;
  /**
   * Folder of the SQL that makes the app's tables, when it is not among the project's own; a URL that ends in "/".
   *
   * Applied after the project's, in the order of their names or of drizzle-kit's journal, and recorded under the app's
   * name. The tables stay when the app is taken out.
   */
  readonly migrations?: URL;
  /** Codes of refusals that only this app answers. */
  readonly problems?: Problems;
  setup(core: AppCore): InstalledApp<M>;
}

/** An {@linkcode App} wired to one {@linkcode Core}. */
export interface InstalledApp<M = unknown> {
  /** What other apps may call. */
  readonly manager: M;
  /** Endpoints by API version: `{ v1: … }` is mounted under `/v1`. */
  readonly routes?: Readonly<Record<string, OpenAPIHono<GridEnv>>>;
  /** Groups that its endpoints stand in in the description of the API, with a sentence each. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Who besides admins may ask for its sockets. @default {[]} */
  readonly upgradeRoles?: readonly Role[];
  /**
   * Takes over a socket that asks for an upgrade and has passed the middleware. `false`: not mine. It is asked only of
   * admins, and of callers with one of {@linkcode InstalledApp.upgradeRoles}.
   */
  upgrade?(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    context: UpgradeContext,
  ): Promise<boolean>;
  /**
   * Encrypts the app's values that are not encrypted with the current key, and returns the number of rows that had
   * plain text. Called before the server listens.
   *
   * @throws {GridError} `encryption_key_mismatch`.
   */
  protectSecrets?(): Promise<number>;
  /** Called when every app is set up and the server listens; what it starts is disposed in reverse order at shutdown. */
  ready?(): AsyncDisposable | undefined;
}

/** Declares an app with its manager's type inferred. */
export function defineApp<M>(app: App<M>): App<M> {
  return app;
}

/**
 * Sets up `apps` in order.
 *
 * @throws {TypeError} If an app needs another that is not installed before it, or brings a code or an endpoint that is
 *   taken.
 * @throws {SettingsError} If an app's options are wrong, or given to one that takes none.
 */
export function installApps(
  base: Omit<Core, "use">,
  apps: readonly App[],
): Map<App, InstalledApp> {
  mergeProblems(apps);
  const options = new AppOptions(base.settings, apps);
  const installed = new Map<App, InstalledApp>();
  for (const app of apps) {
    const core: AppCore = {
      ...base,
      use: (needed) => find(needed, app),
      options: (schema) => options.of(app, schema),
    };
    installed.set(app, checkInstalled(app, app.setup(core)));
  }
  options.refuseUnused();
  refuseSharedRoutes(installed);
  return installed;

  function find<M>(needed: App<M> | string, by: App): M {
    const name = typeof needed === "string" ? needed : needed.name;
    const app = apps.find((each) => each.name === name);
    const found = app && installed.get(app);
    if (found) {
      // `setup` of an App<M> made it; the map cannot say so.
      return found.manager as M;
    }
    throw new TypeError(
      `Cannot set up app "${by.name}": it needs "${name}", which ${
        app ? "comes after it" : "is not installed"
      }, expected it earlier in setting "apps"`,
    );
  }
}

/** Of two apps with one endpoint the later one would never be asked, and nobody would be told. */
function refuseSharedRoutes(installed: ReadonlyMap<App, InstalledApp>): void {
  const owners = new Map<string, string>();
  for (const [{ name }, { routes = {} }] of installed) {
    for (const [version, router] of Object.entries(routes)) {
      for (const { method, path } of router.routes) {
        const endpoint = `${method} /${version}${path}`;
        const owner = owners.get(endpoint) ?? name;
        if (owner !== name && method !== "ALL") {
          throw new TypeError(
            `Cannot set up app "${name}": "${endpoint}" is an endpoint of "${owner}", expected another path`,
          );
        }
        owners.set(endpoint, owner);
      }
    }
  }
}

/**
 * The codes that `owners`, apps and plugins, bring.
 *
 * @throws {TypeError} If two bring the same, or one brings a built-in one.
 */
export function mergeProblems(
  owners: Iterable<Named & { readonly problems?: Problems | undefined }>,
): Problems {
  const owned = new Map<string, string>();
  const merged: Record<string, Problems[string]> = {};
  for (const { name, problems = {} } of owners) {
    for (const [code, kind] of Object.entries(problems)) {
      const owner = isBuiltIn(code) ? "the core" : owned.get(code);
      if (owner !== undefined) {
        throw new TypeError(
          `Cannot add code "${code}" of "${name}": ${owner} has it, expected one of its own, such as "${name}_${code}"`,
        );
      }
      owned.set(code, `"${name}"`);
      merged[code] = kind;
    }
  }
  return merged;
}

/** How the sockets of installed apps are taken, each by those only who may. */
export function upgradersOf(
  installed: Iterable<InstalledApp>,
): readonly NonNullable<InstalledApp["upgrade"]>[] {
  return [...installed].flatMap(({ upgrade, upgradeRoles = [] }) =>
    upgrade
      ? [
        async (request, socket, head, context) =>
          hasRole(context.caller ?? ANONYMOUS, upgradeRoles) &&
          await upgrade(request, socket, head, context),
      ]
      : []
  );
}
