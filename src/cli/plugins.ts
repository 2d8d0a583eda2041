/**
 * Loads the plugins that the setting `plugins` names, and adds them to what is built in.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type App } from "../core/app.ts";
import { mergeProblems } from "../http/install_apps.ts";
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
import type { Installed } from "./command.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../installed.ts";

const SHAPE =
  "expected a default export { name, apps?, middleware?, providers?, problems? }, or a function that returns it";

/** The parts that are built in. */
const BUILT_IN: Installed = {
  apps: APPS,
  middleware: MIDDLEWARE,
  providers: PROVIDERS,
  problems: {},
  plugins: [],
};

/**
 * Loads the named plugins, in order.
 *
 * @param cwd Folder that paths are relative to, and from which packages are resolved.
 * @throws {SettingsError} If one cannot be loaded, is not a plugin, or adds a name that is taken.
 */
export async function loadPlugins(
  names: readonly string[],
  cwd: string = Deno.cwd(),
): Promise<Installed> {
  const plugins: Plugin[] = [];
  for (const name of names) plugins.push(await loadPlugin(name, cwd));
  return addPlugins(plugins);
}

/** Adds the parts of plugins to those that are built in. @throws {SettingsError} If a name or a code is taken. */
function addPlugins(plugins: readonly Plugin[]): Installed {
  const apps = new Registry<App>("app", BUILT_IN.apps);
  const middleware = new Registry<Middleware>(
    "middleware",
    BUILT_IN.middleware,
  );
  const providers = new Registry<Provider>("provider", BUILT_IN.providers);
  const added = new Registry<Plugin>("plugin");
  for (const plugin of plugins) {
    rethrowAsSettingsError(plugin.name, () => {
      added.add(plugin);
      for (const each of plugin.apps ?? []) apps.add(each);
      for (const each of plugin.middleware ?? []) middleware.add(each);
      for (const each of plugin.providers ?? []) providers.add(each);
      mergeProblems([...apps, ...added]);
    });
  }
  return {
    apps: [...apps],
    middleware: [...middleware],
    providers: [...providers],
    problems: mergeProblems(added),
    plugins: plugins.map(({ name }) => name),
  };
}

async function loadPlugin(name: string, cwd: string): Promise<Plugin> {
  const { default: exported } = await importModule(name, cwd);
  const plugin: unknown = typeof exported === "function"
    ? await callFactory(name, exported)
    : exported;
  if (isPlugin(plugin)) return plugin;
  const faults = plugin === undefined
    ? "its default export is missing"
    : listPluginFaults(plugin).join("; ");
  throw new SettingsError(`Cannot use plugin "${name}": ${faults}; ${SHAPE}`);
}

/** The exports of a module. */
type Module = Readonly<Record<string, unknown>>;

async function importModule(name: string, cwd: string): Promise<Module> {
  try {
    return await import(await resolveSpecifier(name, cwd));
  } catch (cause) {
    throw new SettingsError(
      `Cannot load plugin "${name}": ${toMessage(cause)}`,
      { cause },
    );
  }
}

/** Returns the specifier of a plugin for `import()`, which would resolve a path relative to this file. */
async function resolveSpecifier(name: string, cwd: string): Promise<string> {
  if (/^(file|npm|jsr):/.test(name)) return name;
  if (isPath(name)) return pathToFileURL(resolve(cwd, name)).href;
  const { resolve: resolvePackage } = await import("import-meta-resolve");
  try {
    return resolvePackage(name, pathToFileURL(join(cwd, "/")).href);
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

// deno-lint-ignore ban-types -- the export of a module, whose type is unknown
async function callFactory(name: string, factory: Function): Promise<unknown> {
  try {
    return await factory(pluginApi);
  } catch (cause) {
    throw new SettingsError(
      `Cannot use plugin "${name}": its function failed: ${toMessage(cause)}`,
      { cause },
    );
  }
}

function rethrowAsSettingsError(name: string, add: () => void): void {
  try {
    add();
  } catch (cause) {
    throw new SettingsError(
      `Cannot use plugin "${name}": ${toMessage(cause)}`,
      { cause },
    );
  }
}
