/**
 * Finds and loads what the setting `plugins` names, and puts it beside what is built in.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type App } from "../core/app.ts";
import { mergeProblems } from "../http/install_apps.ts";
import type { Problems } from "../core/errors.ts";
import { toMessage } from "../core/log.ts";
import type { Middleware } from "../core/middleware.ts";
import {
  isPlugin,
  listPluginFaults,
  type Plugin,
  pluginApi,
} from "../plugin/plugin.ts";
import type { Provider } from "../core/provider.ts";
import { Registry } from "../core/registry.ts";
import { SettingsError } from "../core/settings.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../installed.ts";

const SHAPE =
  "expected a default export { name, apps?, middleware?, providers?, problems? }, or a function that returns it";

/** Everything that this run of the program has: built in, then of each plugin in turn. */
export interface Installed {
  readonly apps: readonly App[];
  readonly middleware: readonly Middleware[];
  readonly providers: readonly Provider[];
  /** Codes that plugins answer beside their apps'. */
  readonly problems: Problems;
  /** Names of the plugins. */
  readonly plugins: readonly string[];
}

/** What there is without plugins. */
export const BUILT_IN: Installed = {
  apps: APPS,
  middleware: MIDDLEWARE,
  providers: PROVIDERS,
  problems: {},
  plugins: [],
};

/**
 * Loads the plugins that `names` says, in order.
 *
 * @param cwd Folder that paths are relative to, and from which packages are looked for.
 * @throws {SettingsError} If one cannot be loaded, is no plugin, or brings a name that is taken.
 */
export async function loadPlugins(
  names: readonly string[],
  cwd: string = Deno.cwd(),
): Promise<Installed> {
  const plugins: Plugin[] = [];
  for (const name of names) plugins.push(await loadPlugin(name, cwd));
  return withPlugins(plugins);
}

/** What is built in and what `plugins` bring. @throws {SettingsError} If a name or a code is taken. */
export function withPlugins(plugins: readonly Plugin[]): Installed {
  const apps = new Registry<App>("app", BUILT_IN.apps);
  const middleware = new Registry<Middleware>(
    "middleware",
    BUILT_IN.middleware,
  );
  const providers = new Registry<Provider>("provider", BUILT_IN.providers);
  const named = new Registry<Plugin>("plugin");
  for (const plugin of plugins) {
    refusing(`Cannot use plugin "${plugin.name}"`, () => {
      named.add(plugin);
      for (const each of plugin.apps ?? []) apps.add(each);
      for (const each of plugin.middleware ?? []) middleware.add(each);
      for (const each of plugin.providers ?? []) providers.add(each);
      mergeProblems([...apps, ...named]);
    });
  }
  return {
    apps: [...apps],
    middleware: [...middleware],
    providers: [...providers],
    problems: mergeProblems(named),
    plugins: plugins.map(({ name }) => name),
  };
}

async function loadPlugin(name: string, cwd: string): Promise<Plugin> {
  const { default: exported } = await importModule(name, cwd);
  const plugin: unknown = typeof exported === "function"
    ? await made(name, exported)
    : exported;
  if (isPlugin(plugin)) return plugin;
  const faults = plugin === undefined
    ? "its default export is missing"
    : listPluginFaults(plugin).join("; ");
  throw new SettingsError(`Cannot use plugin "${name}": ${faults}; ${SHAPE}`);
}

/** A module, looked at from outside. */
type Module = Readonly<Record<string, unknown>>;

async function importModule(name: string, cwd: string): Promise<Module> {
  try {
    return await import(await addressOf(name, cwd));
  } catch (cause) {
    throw new SettingsError(
      `Cannot load plugin "${name}": ${toMessage(cause)}`,
      { cause },
    );
  }
}

/** What `import()` takes for `name`: not a path, which would be taken from this file. */
async function addressOf(name: string, cwd: string): Promise<string> {
  if (/^(file|npm|jsr):/.test(name)) return name;
  if (isPath(name)) return pathToFileURL(resolve(cwd, name)).href;
  const nodeWay = await import("import-meta-resolve");
  try {
    return nodeWay.resolve(name, pathToFileURL(join(cwd, "/")).href);
  } catch (cause) {
    throw new Error(
      `no package of this name is in ${
        join(cwd, "node_modules")
      } or above, expected a path such as ./plugin.ts, npm:NAME@VERSION or an installed package`,
      { cause },
    );
  }
}

function isPath(name: string): boolean {
  return name.startsWith(".") || isAbsolute(name) ||
    /\.[cm]?[jt]s$/.test(name);
}

// deno-lint-ignore ban-types -- a module's export: nothing else is known of it
async function made(name: string, factory: Function): Promise<unknown> {
  try {
    return await factory(pluginApi);
  } catch (cause) {
    throw new SettingsError(
      `Cannot use plugin "${name}": its function failed: ${toMessage(cause)}`,
      { cause },
    );
  }
}

function refusing(what: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw new SettingsError(`${what}: ${toMessage(cause)}`, { cause });
  }
}
