import { join } from "node:path";
import type {
  LoadedSettings,
  Settings,
  SettingsInput,
} from "../core/settings.ts";
import type { GridClient } from "../client/client.ts";
import type { Output } from "./output.ts";

const CONFIG_VARIABLE = "BROWSERGRID_CONFIG";
const PLUGINS_VARIABLE = "BROWSERGRID_PLUGINS";
const DEFAULT_CONFIG = "browsergrid.json";

/** Options of every command that reads settings. */
export interface CommonOptions {
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
  readonly debug?: boolean | undefined;
}

/** Returns the settings of the file, the environment and `flags`. Prints warnings to stderr. */
export async function resolveSettings(
  flags: SettingsInput,
  options: CommonOptions,
  output: Output,
): Promise<Settings> {
  const { settings, warnings } = await explainSettings(flags, options);
  for (const warning of warnings) output.error(`warning: ${warning}`);
  return settings;
}

/** Returns the settings of the file, the environment and `flags`, with their origins and the warnings about them. */
export async function explainSettings(
  flags: SettingsInput,
  { config, debug }: CommonOptions,
): Promise<LoadedSettings> {
  const { [CONFIG_VARIABLE]: variable, ...env } = Deno.env.toObject();
  const file = await readConfig(config ?? variable);
  const { loadSettings } = await import("../core/settings.ts");
  const loaded = loadSettings({
    defaults: { data_dir: defaultDataDir(env) },
    env,
    flags: { ...flags, ...(debug ? { log_level: "debug" } : {}) },
    ...(file ? { file } : {}),
  });
  await exemptServersFromProxy(loaded.settings, env);
  return loaded;
}

/**
 * Excludes this machine and the server's addresses from the proxy of the environment. The runtime reads the variables
 * at its first request.
 */
async function exemptServersFromProxy(
  { host, public_url, replica_url }: Settings,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { exemptFromProxies } = await import("./proxy_environment.ts");
  const urls = [public_url, replica_url].filter((url) => url !== undefined);
  const hosts = [host, ...urls.map((url) => new URL(url).hostname)];
  for (const each of Object.entries(exemptFromProxies(env, hosts))) {
    Deno.env.set(...each);
  }
}

/** Returns the proxy of the environment for `url`. */
export async function findProxy(url: string): Promise<URL | undefined> {
  const { findProxyFor } = await import("./proxy_environment.ts");
  return findProxyFor(new URL(url), Deno.env.toObject());
}

/** Returns the setting `plugins`: `names` of the command line, or what the environment or the file says. */
export async function resolvePluginNames(
  names: readonly string[],
  config: string | undefined,
): Promise<readonly string[]> {
  const { [CONFIG_VARIABLE]: variable, ...env } = Deno.env.toObject();
  // The command that needs the file reports why it cannot be read.
  const file = await readConfig(config ?? variable).catch(() => undefined);
  if (names.length === 0 && !file && !env[PLUGINS_VARIABLE]) return [];
  const { loadPluginNames } = await import("../core/settings.ts");
  return loadPluginNames({
    env,
    flags: { plugins: names.length > 0 ? names : undefined },
    ...(file ? { file } : {}),
  });
}

/** Creates a client for the server that options or settings name. */
export async function connectClient(
  options: CommonOptions & {
    readonly api_url?: string | undefined;
    readonly api_key?: string | undefined;
  },
  output: Output,
): Promise<GridClient> {
  const settings = await resolveSettings(
    { api_url: options.api_url, api_key: options.api_key },
    options,
    output,
  );
  const { createClient } = await import("../client/client.ts");
  return createClient({ apiUrl: settings.api_url, apiKey: settings.api_key });
}

async function readConfig(chosen: string | undefined) {
  const path = chosen ?? DEFAULT_CONFIG;
  try {
    return { path, text: decodeText(await Deno.readFile(path)) };
  } catch (error) {
    if (chosen === undefined && error instanceof Deno.errors.NotFound) return;
    throw new Error(
      `Cannot read the configuration file "${path}": expected a readable JSON file, in UTF-8, or in UTF-16 with a byte order mark`,
      { cause: error },
    );
  }
}

/**
 * Decodes UTF-8, with a byte order mark or without, or UTF-16 with one, as PowerShell writes it.
 *
 * @throws {TypeError} If the bytes are neither.
 */
function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe
    ? "utf-16le"
    : first === 0xfe && second === 0xff
    ? "utf-16be"
    : "utf-8";
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

function defaultDataDir(env: Readonly<Record<string, string>>): string {
  const home = env.HOME ?? env.USERPROFILE ?? ".";
  switch (Deno.build.os) {
    case "windows":
      return join(env.LOCALAPPDATA ?? home, "browsergrid");
    case "darwin":
      return join(home, "Library", "Application Support", "browsergrid");
    default:
      return join(
        env.XDG_DATA_HOME || join(home, ".local", "share"),
        "browsergrid",
      );
  }
}
