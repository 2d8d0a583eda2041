import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Auth, Caller, Role } from "./caller.ts";
import type { Bus } from "./bus.ts";
import type { Clock } from "../async/clock.ts";
import type { Database, Secrets } from "./database.ts";
import type { Problems } from "./errors.ts";
import type { GridEnv } from "./middleware.ts";
import type { Provider } from "./provider.ts";
import type { Named, Registry } from "./registry.ts";
import type { Settings } from "./settings.ts";

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
  /** Endpoints outside the versions of the API, such as those of a foreign protocol. */
  readonly rootRoutes?: OpenAPIHono<GridEnv>;
  /** Groups that its endpoints stand in in the description of the API, with a sentence each. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Roles that may use {@linkcode InstalledApp.upgrade}, in addition to admins. @default {[]} */
  readonly upgradeRoles?: readonly Role[];
  /**
   * Takes over a socket that asks for an upgrade and has passed the middleware, unless a route is declared as its
   * socket. Returns false if it is not for this app. Called only for admins and callers with one of
   * {@linkcode InstalledApp.upgradeRoles}.
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

/** What the middleware has found out about a request for a socket. */
export interface UpgradeContext {
  /** What is asked for, as the middleware has seen it. */
  readonly url: URL;
  /** Path of the URL as routes match it. */
  readonly path: string;
  /** URL of the server as the client reaches it, without a trailing slash. */
  readonly baseUrl: string;
  /** Undefined if no middleware asks who it is. */
  readonly caller: Caller | undefined;
  readonly requestId: string | undefined;
  /** What the middleware adds to answers; belongs to a refusal too. */
  readonly headers: Headers;
}
