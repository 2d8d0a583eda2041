/**
 * Loads the plugins that the setting `plugins` names, and adds them to what is built in.
 *
 * @module
 */
import { type App } from "../core/app.ts";
import { mergeProblems } from "../http/install_apps.ts";
import { toMessage } from "../core/log.ts";
import type { Middleware } from "../core/middleware.ts";
import type { Plugin } from "../plugin/plugin.ts";
import type { Provider } from "../core/provider.ts";
import { Registry } from "../core/registry.ts";
import { SettingsError } from "../core/settings.ts";
import type { Installed } from "./command.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../installed.ts";

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
  if (names.length === 0) return BUILT_IN;
  const { loadPlugin } = await import("./load_plugin.ts");
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
