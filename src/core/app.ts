import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Auth, Caller, Role } from "./caller.ts";
import type { Bus } from "./bus.ts";
import type { Clock } from "../async/clock.ts";
import type { Database, Secrets } from "./database.ts";
import type { Problems } from "./errors.ts";
import type { MetricRegistry } from "./metrics/registry.ts";
import type { GridEnv } from "./middleware.ts";
import type { Provider } from "./provider.ts";
import type { Named, Registry } from "./registry.ts";
import type { Settings } from "./settings.ts";
import type { TraceContext } from "./trace/trace_context.ts";
import type { Tracer } from "./trace/tracer.ts";

/** Dependencies of every app. Nothing in it knows any app. */
export interface Core {
  readonly settings: Settings;
  readonly db: Database;
  /** The server's clock, which decides every deadline in the database. */
  readonly clock: Clock;
  readonly bus: Bus;
  /** Version of the program. */
  readonly version: string;
  /** Metrics of this server, which `GET /metrics` shows. */
  readonly metrics: MetricRegistry;
  /** Records the spans of traces, if spans are sent to a collector. */
  readonly tracer?: Tracer | undefined;
  readonly auth: Auth;
  /** Encrypts values that must not be readable in a copy of the database. */
  readonly secrets: Secrets;
  readonly providers: Registry<Provider>;
  /** Types of events of all installed apps. */
  readonly eventTypes: EventTypes;
  /** URL under which clients reach this server, without a trailing slash. Final once the server listens. */
  readonly publicUrl: () => string;
  /** URL under which the other servers of the grid reach this one, without a trailing slash. Final once the server listens. */
  readonly replicaUrl: () => string;
  /** Workers in this process, by id. Each returns the path of the unix socket of a session's isolated browser. */
  readonly localWorkers: Map<string, (sessionId: string) => string | undefined>;
  /** Aborted when the server begins to stop; long waits end with it. */
  readonly stopping: AbortSignal;
  /**
   * Returns the manager of an app that was set up earlier. A plugin, which cannot import the app, names it.
   *
   * @throws {TypeError} If the app is not installed, or comes later.
   */
  use<M>(app: App<M> | string): M;
}

/** Dependencies of one app. */
export interface AppCore extends Core {
  /**
   * Returns the app's options in the setting `app_options`, with the defaults of `schema`.
   *
   * @throws {SettingsError} If they do not match `schema`.
   */
  options<O extends z.ZodObject>(schema: O): z.infer<O>;
}

/** A declaration of a type of event. */
export interface EventType {
  /** Sentence that says what has happened. */
  readonly description: string;
  /** Schema of `data`. */
  readonly data: z.ZodObject;
}

/** Types of events by name, such as `session.running`. */
export type EventTypes = Readonly<Record<string, EventType>>;

/** A part of the server with tables, endpoints for each API version and a start hook. */
export interface App<M = unknown> extends Named {
  /** Name of the app in messages for people. */
  readonly verboseName: string;
  /**
   * Folder with the SQL of the app's tables, as a URL that ends in "/". Omit for tables in the project's migrations.
   *
   * The files are applied after the project's, in the order of their names or of drizzle-kit's journal, and recorded
   * under the app's name. Uninstalling the app keeps its tables.
   */
  readonly migrations?: URL;
  /** Problem codes that only this app responds with. */
  readonly problems?: Problems;
  /** Types of the events that only this app records. */
  readonly eventTypes?: EventTypes;
  setup(core: AppCore): InstalledApp<M>;
}

/** An {@linkcode App} wired to one {@linkcode Core}. */
export interface InstalledApp<M = unknown> {
  /** Interface of the app for other apps. */
  readonly manager: M;
  /** Endpoints by API version: `{ v1: ... }` is mounted under `/v1`. */
  readonly routes?: Readonly<Record<string, OpenAPIHono<GridEnv>>>;
  /** Endpoints outside the versions of the API, such as those of a foreign protocol. */
  readonly rootRoutes?: OpenAPIHono<GridEnv>;
  /** Endpoints that most servers never serve, and that are loaded when they are. */
  readonly routesOnDemand?: RoutesOnDemand;
  /** Groups of its endpoints in the OpenAPI document, with a sentence for each. */
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
  /** Starts background work, once every app is set up and the server listens. Disposed at shutdown, in reverse order. */
  ready?(): AsyncDisposable | undefined;
}

/** Endpoints of an app that are loaded by the first request to one of their paths, or by the API description. */
export interface RoutesOnDemand {
  /** Paths that only these endpoints have, each with all paths below it, such as `/v1/things`. */
  readonly paths: readonly string[];
  /** Imports the endpoints. Called again only if it has failed. */
  load(): Promise<Pick<InstalledApp, "routes" | "rootRoutes">>;
}

/** Declares an app with its manager's type inferred. */
export function defineApp<M>(app: App<M>): App<M> {
  return app;
}

/** An upgrade request that has passed the middleware. */
export interface UpgradeContext {
  /** URL of the request, with the canonical path of the API. */
  readonly url: URL;
  /** Path of the URL as routes match it. */
  readonly path: string;
  /** URL of the server as the client reaches it, without a trailing slash. */
  readonly baseUrl: string;
  /** Undefined if no middleware determines the caller. */
  readonly caller: Caller | undefined;
  readonly requestId: string | undefined;
  /** Trace of the request's `traceparent`. */
  readonly trace?: TraceContext | undefined;
  /** Headers that the middleware adds to a response, also to a problem. */
  readonly headers: Headers;
}
