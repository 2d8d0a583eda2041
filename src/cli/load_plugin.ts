import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { toMessage } from "../core/log.ts";
import { SettingsError } from "../core/settings.ts";
import {
  isPlugin,
  listPluginFaults,
  type Plugin,
  pluginApi,
} from "../plugin/plugin.ts";

const SHAPE =
  "expected a default export { name, apps?, middleware?, providers?, problems? }, or a function that returns it";

/** Loads a plugin. @throws {SettingsError} If it cannot be loaded, or is none. */
export async function loadPlugin(name: string, cwd: string): Promise<Plugin> {
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
