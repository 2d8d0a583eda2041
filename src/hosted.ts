/**
 * The API for platforms that have `fetch` and nothing else: no files, no sockets, no Node, no process that stays.
 *
 * ```ts
 * const { fetch } = hostApi(Deno.env.toObject());
 * Deno.serve(fetch);
 * ```
 *
 * Beside it, at least one `browsergrid serve` must run on the same database. It brings the database up to date, declares
 * workers lost and sessions late, and its gateway, under `public_url`, is what clients connect to.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { chosen, createApi } from "./core/api.ts";
import { databaseOn } from "./core/db/client.ts";
import { connectRemote } from "./core/db/remote_connection.ts";
import { configureConsoleLog } from "./core/log.ts";
import { loadSettings, type Settings, SettingsError } from "./core/settings.ts";
import { API_APPS, MIDDLEWARE, PROVIDERS } from "./installed_api.ts";

/** The API over a remote database. */
export interface HostedApi extends Disposable {
  /** Answers one request. Needs no `this`. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/**
 * Makes the API from variables (`BROWSERGRID_…`), as `serve` reads them. Calls the database with the first request.
 *
 * @throws {SettingsError} If a setting is wrong, or one that is needed is missing: `database_url` of a remote database,
 * and `public_url`.
 */
export function hostApi(env: Readonly<Record<string, string>>): HostedApi {
  const { settings } = loadSettings({
    // Nothing is written there.
    defaults: { data_dir: "." },
    env,
    flags: {},
  });
  configureConsoleLog(settings);
  const db = databaseOn(
    connectRemote(remoteUrlOf(settings), {
      authToken: settings.database_auth_token,
    }),
  );
  const { router, stop } = createApi({ settings, db }, {
    apps: chosen(API_APPS, settings.apps, "app"),
    middleware: MIDDLEWARE,
    providers: PROVIDERS,
    version: config.version,
  });
  return {
    fetch: (request) => router.fetch(request),
    [Symbol.dispose]() {
      stop();
      db[Symbol.dispose]();
    },
  };
}

function remoteUrlOf({ database_url = "", public_url }: Settings): string {
  if (!/^(libsql|https?):/i.test(database_url)) {
    throw new SettingsError(
      `Cannot host the API over database "${database_url}": it is not remote, expected libsql://HOST, https://HOST or http://HOST in BROWSERGRID_DATABASE_URL`,
    );
  }
  if (public_url === undefined) {
    throw new SettingsError(
      "Cannot host the API: no client could connect to a browser, expected the URL of a server (browsergrid serve) on the same database in BROWSERGRID_PUBLIC_URL",
    );
  }
  return database_url;
}
