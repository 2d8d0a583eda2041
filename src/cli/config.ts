import { join } from "node:path";
import {
  type LoadedSettings,
  loadPluginNames,
  loadSettings,
  type Settings,
  type SettingsInput,
} from "../core/settings.ts";
import { createClient, type GridClient } from "../client/client.ts";
import { exemptFromProxies, proxyFor } from "./proxy_environment.ts";
import type { Output } from "./output.ts";

const CONFIG_VARIABLE = "BROWSERGRID_CONFIG";
const DEFAULT_CONFIG = "browsergrid.json";

/** Flags that several commands share. */
export interface CommonFlags {
  readonly config?: string | undefined;
  readonly debug?: boolean | undefined;
}

/** Settings from the file, the environment and `flags`; warnings go to stderr. */
export async function settingsFrom(
  flags: SettingsInput,
  common: CommonFlags,
  output: Output,
): Promise<Settings> {
  const { settings, warnings } = await loadedSettings(flags, common);
  for (const warning of warnings) output.error(`warning: ${warning}`);
  return settings;
}

/** Settings from the file, the environment and `flags`, with where each comes from. */
export async function loadedSettings(
  flags: SettingsInput,
  { config, debug }: CommonFlags,
): Promise<LoadedSettings> {
  const { [CONFIG_VARIABLE]: named, ...env } = Deno.env.toObject();
  const file = await readConfig(config ?? named);
  const loaded = loadSettings({
    defaults: { data_dir: defaultDataDir(env) },
    env,
    flags: { ...flags, ...(debug ? { log_level: "debug" } : {}) },
    ...(file ? { file } : {}),
  });
  reachOwnAddresses(loaded.settings, env);
  return loaded;
}

/**
 * Excludes this machine and the server's addresses from the proxy of the environment. The runtime reads the variables
 * at its first request.
 */
function reachOwnAddresses(
  { host, public_url, replica_url }: Settings,
  env: Readonly<Record<string, string>>,
): void {
  const urls = [public_url, replica_url].filter((url) => url !== undefined);
  const hosts = [host, ...urls.map((url) => new URL(url).hostname)];
  for (const each of Object.entries(exemptFromProxies(env, hosts))) {
    Deno.env.set(...each);
  }
}

/** Returns the proxy of the environment for `url`. */
export function proxyOf(url: string): URL | undefined {
  return proxyFor(new URL(url), Deno.env.toObject());
}

/** What the setting `plugins` says, from `names` on the command line, the environment or the file. */
export async function pluginNamesFrom(
  names: readonly string[],
  config: string | undefined,
): Promise<readonly string[]> {
  const { [CONFIG_VARIABLE]: named, ...env } = Deno.env.toObject();
  // A file that cannot be read is told of by the command that needs it.
  const file = await readConfig(config ?? named).catch(() => undefined);
  return loadPluginNames({
    env,
    flags: { plugins: names.length > 0 ? names : undefined },
    ...(file ? { file } : {}),
  });
}

/** A client for the server that flags or settings name. */
export async function clientFrom(
  flags: CommonFlags & {
    readonly apiUrl?: string | undefined;
    readonly apiKey?: string | undefined;
  },
  output: Output,
): Promise<GridClient> {
  const settings = await settingsFrom(
    { api_url: flags.apiUrl, api_key: flags.apiKey },
    flags,
    output,
  );
  return createClient({ apiUrl: settings.api_url, apiKey: settings.api_key });
}

async function readConfig(named: string | undefined) {
  const path = named ?? DEFAULT_CONFIG;
  try {
    return { path, text: textOf(await Deno.readFile(path)) };
  } catch (error) {
    if (named === undefined && error instanceof Deno.errors.NotFound) return;
    throw new Error(
      `Cannot read the configuration file "${path}": expected a readable JSON file, in UTF-8, or in UTF-16 with a byte order mark`,
      { cause: error },
    );
  }
}

/**
 * Decodes UTF-8, with a byte order mark or without, or UTF-16 with one, as PowerShell writes it. @throws {TypeError} If
 * the bytes are neither.
 */
function textOf(bytes: Uint8Array): string {
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
