import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type App, type Core, type InstalledApp } from "../core/app.ts";
import { Admission, admitRequests } from "./admission.ts";
import { Ingress } from "./server/ingress.ts";
import { getManager, installApps, mergeEventTypes } from "./install_apps.ts";
import { KeyAuth } from "./auth/auth.ts";
import { removeEndSlash } from "../core/text.ts";
import { Bus } from "../core/bus.ts";
import { type Clock, systemClock } from "../async/clock.ts";
import { toMessage } from "../core/log.ts";
import { isLoopback } from "../core/network.ts";
import { MetricRegistry } from "../core/metrics/registry.ts";
import type { GridEnv, Middleware } from "../core/middleware.ts";
import { createChain } from "./middleware_chain.ts";
import { rejectForeignPages } from "./auth/origin_check.ts";
import type { Provider } from "../core/provider.ts";
import { type Named, Registry } from "../core/registry.ts";
import type { Tracer } from "../core/trace/tracer.ts";
import { traceRequests } from "./trace_requests.ts";
import { measureRequests } from "./request_metrics.ts";
import { buildRouter } from "./router.ts";
import { type Settings, SettingsError } from "../core/settings.ts";
import { nameKnownMembers } from "./openapi/unknown_members.ts";

/** Parts of an API. */
export interface ApiParts {
  /** Apps of the setting `apps`, in order. */
  readonly apps: readonly App[];
  readonly middleware: readonly Middleware[];
  readonly providers: readonly Provider[];
  readonly version: string;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Metrics of the server. @default {none yet} */
  readonly metrics?: MetricRegistry | undefined;
  /** Records the spans of traces. @default {none} */
  readonly tracer?: Tracer | undefined;
}

/** The HTTP API over a database: a server without its listener, upgrades and background work. */
export interface Api {
  readonly core: Omit<Core, "use">;
  /** Middleware of requests and upgrades. */
  readonly chain: readonly MiddlewareHandler<GridEnv>[];
  readonly router: OpenAPIHono<GridEnv>;
  readonly ingress: Ingress;
  readonly admission: Admission;
  readonly installed: ReadonlyMap<App, InstalledApp>;
  /** Returns the manager of an app. @throws {SettingsError} If it is not installed. */
  findManager<M>(app: App<M>): M;
  /** Sets the URLs of the server where the settings `public_url` and `replica_url` do not. */
  setUrls(url: string, replicaUrl: string): void;
  /** Ends long waits. */
  stop(): void;
}

/**
 * Creates the API over a migrated database. Needs only `fetch`: no Node, no files, no sockets.
 *
 * @throws {SettingsError} If the settings name an unknown middleware, or an option of one is invalid.
 */
export function createApi(
  { settings, db, secrets }: Pick<Core, "settings" | "db" | "secrets">,
  parts: ApiParts,
): Api {
  const { clock = systemClock } = parts;
  nameKnownMembers();
  const stopping = new AbortController();
  const origin = {
    url: settings.public_url ?? settings.api_url,
    replicaUrl: settings.replica_url ?? settings.api_url,
  };
  const core: Omit<Core, "use"> = {
    settings,
    db,
    clock,
    secrets,
    bus: new Bus(),
    version: parts.version,
    metrics: parts.metrics ?? new MetricRegistry(),
    tracer: parts.tracer,
    auth: new KeyAuth(settings.api_key, {
      isExposed: !isLoopback(settings.host),
      clock,
      connectTokenSeconds: settings.connect_token_seconds,
    }),
    providers: new Registry("provider", parts.providers),
    eventTypes: mergeEventTypes(parts.apps),
    publicUrl: () => removeEndSlash(origin.url),
    replicaUrl: () => removeEndSlash(origin.replicaUrl),
    localWorkers: new Map(),
    stopping: stopping.signal,
  };
  const installed = installApps(core, parts.apps);
  const ingress = new Ingress({ isBusy: () => db.hasBacklog() });
  const admission = new Admission({ db, ingress, clock });
  const chain = [
    measureRequests(core.metrics, clock),
    traceRequests(core.tracer, clock),
    ...createChain(parts.middleware, core),
    admitRequests(admission, settings),
  ];
  const router = buildRouter({
    version: parts.version,
    middleware: [...chain, rejectForeignPages(settings)],
    apps: installed.values(),
    checkReady: () => db.client.execute("SELECT 1"),
  });
  return {
    core,
    chain,
    router,
    ingress,
    admission,
    installed,
    findManager: (app) => findManager(installed, app),
    setUrls(url, replicaUrl) {
      origin.url = settings.public_url ?? url;
      origin.replicaUrl = settings.replica_url ?? replicaUrl;
    },
    stop: () => stopping.abort(),
  };
}

/**
 * Returns the apps of the setting `apps`, in its order; without it, all known apps.
 *
 * @throws {SettingsError} If it names an unknown app, or one twice.
 */
export function chooseApps(
  known: readonly App[],
  { apps }: Pick<Settings, "apps">,
): readonly App[] {
  const twice = apps?.find((name, at) => apps.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new SettingsError(
      `Cannot use setting "apps": it has "${twice}" twice, expected each app once`,
    );
  }
  const registry = new Registry("app", known);
  return apps?.map((name) => findNamed(registry, name)) ?? known;
}

function findManager<M>(
  installed: ReadonlyMap<App, InstalledApp>,
  app: App<M>,
): M {
  const found = installed.get(app);
  if (!found) {
    throw new SettingsError(
      `Cannot start without app "${app.name}": it is not in setting "apps"`,
    );
  }
  return getManager(found);
}

function findNamed<T extends Named>(registry: Registry<T>, name: string): T {
  try {
    return registry.get(name);
  } catch (cause) {
    throw new SettingsError(toMessage(cause), { cause });
  }
}
