import type { OpenAPIHono } from "@hono/zod-openapi";
import { join } from "node:path";
import { eventsApp } from "../apps/events/app.ts";
import type { EventManager } from "../apps/events/manager.ts";
import { handoverApp } from "../apps/handover/app.ts";
import type { HandoverManager } from "../apps/handover/manager.ts";
import { keysApp } from "../apps/keys/app.ts";
import { hasClientKey, type KeyManager } from "../apps/keys/manager.ts";
import { sessionsApp } from "../apps/sessions/app.ts";
import type { SessionManager } from "../apps/sessions/manager.ts";
import { liveApp } from "../apps/live/app.ts";
import type { LiveManager } from "../apps/live/manager.ts";
import { webhooksApp, type WebhookUpkeep } from "../apps/webhooks/app.ts";
import { workerPoolApp } from "../apps/workerpool/app.ts";
import type { WorkPoolManager } from "../apps/workerpool/manager.ts";
import { workersApp } from "../apps/workers/app.ts";
import type { WorkerManager } from "../apps/workers/manager.ts";
import { type ApiParts, chooseApps, createApi } from "../http/api.ts";
import { type App, type Core, type InstalledApp } from "../core/app.ts";
import { collectUpgraders } from "../http/install_apps.ts";
import { systemClock } from "../async/clock.ts";
import { openDatabase } from "../db/client.ts";
import type { Database } from "../core/database.ts";
import { toFileUrl } from "../db/file_url.ts";
import {
  migrate,
  readMigrations,
  readProjectMigrations,
  rejectNewerDatabase,
} from "../db/migrate.ts";
import type { Migration } from "../db/migrations/status.ts";
import { dropStatistics } from "../db/statistics.ts";
import type { GridEnv, Middleware } from "../core/middleware.ts";
import { isLoopback } from "../core/network.ts";
import { apiKey } from "../middleware/api_key.ts";
import { startServer } from "../http/server/server.ts";
import type { Settings } from "../core/settings.ts";
import { RouteTable } from "../http/auth/route_table.ts";
import { createSocketUpgrader } from "../http/server/socket_route.ts";
import { createUpgradeGate } from "../http/server/upgrade_gate.ts";
import { startReconciler } from "../reconciler/reconciler.ts";
import { MetricRegistry } from "../core/metrics/registry.ts";
import { openSecrets, scrubPlainText } from "./encryption_key.ts";
import { rejectExposure } from "./exposure.ts";

/** Parts of a grid; tests replace some of them. */
export interface GridParts extends ApiParts {
  /** @default {openDatabase} */
  readonly openDatabase?: typeof openDatabase;
}

/** A server wired from settings. Disposal stops its parts in reverse order of their start. */
export interface Grid extends AsyncDisposable {
  readonly core: Omit<Core, "use">;
  readonly router: OpenAPIHono<GridEnv>;
  /** Returns the manager of keys. @throws {SettingsError} If the setting `apps` excludes the app. */
  keys(): KeyManager;
  /** Reports whether a client has a valid key; sessions must then be isolated from their host. */
  hasClientKey(): Promise<boolean>;
  readonly pools: WorkPoolManager;
  readonly sessions: SessionManager;
  readonly workers: WorkerManager;
  /** Undefined if the setting `apps` excludes the app. */
  readonly events: EventManager | undefined;
  /** Undefined if the setting `apps` excludes the app. */
  readonly live: LiveManager | undefined;
  /** Undefined if the setting `apps` excludes the app. */
  readonly handovers: HandoverManager | undefined;
  /** Undefined if the setting `apps` excludes the app. */
  readonly webhooks: WebhookUpkeep | undefined;
  /** Listens, calls {@linkcode startBackgroundWork}, and returns the URL under which the server reaches itself. */
  listen(): Promise<string>;
  /** Starts the background work of the apps and the reconciler. */
  startBackgroundWork(): void;
}

/** Returns the database URL of the settings, by default a file in the data folder. */
export function resolveDatabaseUrl(settings: Settings): string {
  return settings.database_url ??
    toFileUrl(join(settings.data_dir, "browsergrid.db"));
}

/** Reads the migrations of the project and of apps with their own. */
export async function readAllMigrations(
  apps: readonly App[],
): Promise<readonly Migration[]> {
  const project = await readProjectMigrations();
  const others = await Promise.all(
    apps.flatMap(({ name, migrations }) =>
      migrations ? [readMigrations(migrations, `${name}/`)] : []
    ),
  );
  return [...project, ...others.flat()];
}

/**
 * Opens the database, migrates it and wires the apps. The server does not listen yet.
 *
 * @throws {SettingsError} If the settings name an unknown app or middleware.
 */
export async function openGrid(
  settings: Settings,
  parts: GridParts,
): Promise<Grid> {
  await using stack = new AsyncDisposableStack();
  const clock = parts.clock ?? systemClock;
  const db = stack.use(
    await (parts.openDatabase ?? openDatabase)(resolveDatabaseUrl(settings), {
      authToken: settings.database_auth_token,
      clock,
    }),
  );
  const apps = chooseApps(parts.apps, settings);
  const { version } = parts;
  const migrations = await readAllMigrations(apps);
  if (settings.migrate) {
    await migrate(db, migrations, { now: clock.now(), version });
    await dropStatistics(db);
  } else await rejectNewerDatabase(db, migrations, version);
  const secrets = await openSecrets(db, settings);
  const metrics = new MetricRegistry();
  const { otlp_endpoint: endpoint } = settings;
  const tracing = endpoint === undefined
    ? undefined
    : (await import("./tracing.ts")).openTracing(endpoint, {
      settings,
      clock,
      metrics,
      version,
    });
  stack.use(tracing);
  const api = createApi({ settings, db, secrets }, {
    ...parts,
    apps,
    clock,
    metrics,
    tracer: tracing?.tracer,
  });
  const { core, router, installed, findManager: managerOf } = api;
  const managers = {
    pools: managerOf(workerPoolApp),
    sessions: managerOf(sessionsApp),
    workers: managerOf(workersApp),
    events: installed.has(eventsApp) ? managerOf(eventsApp) : undefined,
    live: installed.has(liveApp) ? managerOf(liveApp) : undefined,
    handovers: installed.has(handoverApp) ? managerOf(handoverApp) : undefined,
    webhooks: installed.has(webhooksApp) ? managerOf(webhooksApp) : undefined,
  };
  if (settings.migrate) await protectSecrets(db, installed.values());
  const running = stack.move();
  function startBackgroundWork(): void {
    for (const app of installed.values()) {
      if (app.ready) running.use(app.ready());
    }
    running.use(startReconciler(core, managers));
  }
  return {
    core,
    router,
    keys: () => managerOf(keysApp),
    hasClientKey: () => hasClientKey(db, clock.now()),
    ...managers,
    async listen() {
      await rejectExposure(core, isApiKeyInUse(parts.middleware, settings));
      const routes = new RouteTable(router);
      const server = running.use(
        await startServer({
          host: settings.host,
          port: settings.port,
          fetch: router.fetch,
          ingress: api.ingress,
          isUrgent: (method, path) => routes.isUrgent(method, path),
          admission: api.admission,
          gate: createUpgradeGate(api.chain, router),
          upgraders: [
            createSocketUpgrader(routes),
            ...collectUpgraders(installed.values()),
          ],
          graceMs: settings.shutdown_seconds * 1_000 / 2,
        }),
      );
      const url = toServerUrl(server.host, server.port);
      api.setUrls(url, findReplicaUrl(server.host, server.port));
      startBackgroundWork();
      return url;
    },
    startBackgroundWork,
    async [Symbol.asyncDispose]() {
      api.stop();
      await running.disposeAsync();
    },
  };
}

/** Encrypts secrets that an earlier version stored as plain text, or that an earlier key encrypts. */
async function protectSecrets(
  db: Database,
  installed: Iterable<InstalledApp>,
): Promise<void> {
  let plain = 0;
  for (const app of installed) plain += await app.protectSecrets?.() ?? 0;
  if (plain > 0) await scrubPlainText(db);
}

/** Returns the URL under which the server reaches itself. */
function toServerUrl(host: string, port: number): string {
  const name = isWildcardAddress(host)
    ? "127.0.0.1"
    : host.includes(":")
    ? `[${host}]`
    : host;
  return `http://${name}:${port}`;
}

/** Returns the URL under which other machines reach the server. A server on every address uses this machine's first one. */
function findReplicaUrl(host: string, port: number): string {
  const own = isWildcardAddress(host)
    ? Deno.networkInterfaces().find(({ family, address }) =>
      family === "IPv4" && !isLoopback(address)
    )
    : undefined;
  return toServerUrl(own?.address ?? host, port);
}

function isWildcardAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Reports whether the middleware that requires API keys is in use. */
function isApiKeyInUse(
  known: readonly Middleware[],
  { middleware = [] }: Settings,
): boolean {
  const entry = middleware.find(({ name }) => name === apiKey.name);
  return entry?.enabled ?? known.some(({ name }) => name === apiKey.name);
}
