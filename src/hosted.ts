/**
 * The API for platforms with only `fetch`: no files, no sockets, no Node, no permanent process.
 *
 * ```ts
 * const { fetch } = hostApi(Deno.env.toObject());
 * Deno.serve(fetch);
 * ```
 *
 * At least one `browsergrid serve` must run on the same database. It migrates the database, reconciles sessions and
 * workers, and its gateway accepts the connections of clients under `public_url`.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { chooseApps, createApi } from "./http/api.ts";
import { createDatabase } from "./db/client.ts";
import { connectRemote } from "./db/remote_connection.ts";
import { configureConsoleLog } from "./core/log.ts";
import { SecretCipher } from "./db/secrets.ts";
import type { Secrets } from "./core/database.ts";
import { parseKey } from "./core/redact.ts";
import { loadSettings, type Settings, SettingsError } from "./core/settings.ts";
import { API_APPS, MIDDLEWARE, PROVIDERS } from "./installed_api.ts";

/** Information of a platform about a request, as `Deno.serve` provides it. Without it, client addresses are unknown. */
export interface RequestInfo {
  /** Address of the connection, such as `{ hostname, port }`. */
  readonly remoteAddr?: object;
}

/** The API over a remote database. */
export interface HostedApi extends Disposable {
  /** Responds to a request. Needs no `this`. */
  readonly fetch: (
    request: Request,
    info?: RequestInfo,
  ) => Response | Promise<Response>;
}

/**
 * Creates the API from the variables of `serve` (`BROWSERGRID_...`). The first request connects to the database.
 *
 * @throws {SettingsError} If a setting is invalid, or a required one is missing: `database_url` of a remote database,
 * `public_url`, `api_key`, `encryption_key`.
 */
export function hostApi(env: Readonly<Record<string, string>>): HostedApi {
  const { settings } = loadSettings({
    // Writes no files. The platform is reachable from anywhere.
    defaults: { data_dir: ".", host: "0.0.0.0" },
    env,
    flags: {},
  });
  configureConsoleLog(settings);
  const db = createDatabase(
    connectRemote(readRemoteUrl(settings), {
      authToken: settings.database_auth_token,
    }),
  );
  const { router, stop } = createApi({
    settings,
    db,
    secrets: createSecrets(settings),
  }, {
    apps: chooseApps(API_APPS, settings),
    middleware: MIDDLEWARE,
    providers: PROVIDERS,
    version: config.version,
  });
  return {
    fetch: (request, { remoteAddr } = {}) =>
      router.fetch(request, { remoteAddr: { ...remoteAddr } }),
    [Symbol.dispose]() {
      stop();
      db[Symbol.dispose]();
    },
  };
}

function readRemoteUrl(settings: Settings): string {
  const { database_url = "", public_url } = settings;
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
  rejectExposure(settings);
  return database_url;
}

function createSecrets(
  { encryption_key = "", previous_encryption_keys }: Settings,
): Secrets {
  const key = parseKey(encryption_key);
  if (key) {
    return new SecretCipher(
      key,
      previous_encryption_keys.flatMap((each) => parseKey(each) ?? []),
    );
  }
  throw new SettingsError(
    "Cannot host the API: there is no key for the secrets in the database, expected the key of its servers in BROWSERGRID_ENCRYPTION_KEY",
  );
}

function rejectExposure({ api_key, middleware = [] }: Settings): void {
  const what = "Cannot host the API: any client could use the grid, expected";
  if (api_key === undefined) {
    throw new SettingsError(
      `${what} a long random text as key in BROWSERGRID_API_KEY`,
    );
  }
  if (middleware.some(({ name, enabled }) => name === "api_key" && !enabled)) {
    throw new SettingsError(`${what} middleware "api_key" to be enabled`);
  }
}
