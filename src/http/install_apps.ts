import type {
  App,
  AppCore,
  Core,
  EventTypes,
  InstalledApp,
} from "../core/app.ts";
import { checkInstalled } from "./installed_shape.ts";
import { hasRole } from "../core/caller.ts";
import { AppOptions } from "./app_options.ts";
import { ANONYMOUS } from "../core/caller.ts";
import { isCommonCode, type Problems } from "../core/errors.ts";
import type { Named } from "../core/registry.ts";

/**
 * Sets up `apps` in order.
 *
 * @throws {TypeError} If an app needs another that is not installed before it, or declares a code or an endpoint of
 *   another.
 * @throws {SettingsError} If an app's options are invalid, or it has none.
 */
export function installApps(
  base: Omit<Core, "use">,
  apps: readonly App[],
): Map<App, InstalledApp> {
  mergeProblems(apps);
  const options = new AppOptions(base.settings, apps);
  const installed = new Map<App, InstalledApp>();
  for (const app of apps) {
    const core: AppCore = {
      ...base,
      use: (needed) => find(needed, app),
      options: (schema) => options.parse(app, schema),
    };
    installed.set(app, checkInstalled(app, app.setup(core)));
  }
  options.rejectUnused();
  rejectSharedRoutes(installed);
  return installed;

  function find<M>(needed: App<M> | string, by: App): M {
    const name = typeof needed === "string" ? needed : needed.name;
    const app = apps.find((each) => each.name === name);
    const found = app && installed.get(app);
    if (found) return getManager(found);
    throw new TypeError(
      `Cannot set up app "${by.name}": it needs "${name}", which ${
        app ? "comes after it" : "is not installed"
      }, expected it earlier in setting "apps"`,
    );
  }
}

/** Returns the manager that the `setup` of an `App<M>` created. A map of apps has no type for it. */
export function getManager<M>({ manager }: InstalledApp): M {
  return manager as M;
}

/** Rejects two apps with one endpoint, of which the later one would never be called. @throws {TypeError} */
export function rejectSharedRoutes(
  installed: ReadonlyMap<App, InstalledApp>,
): void {
  const owners = new Map<string, string>();
  const onDemand = [...installed].flatMap(([{ name }, { routesOnDemand }]) =>
    (routesOnDemand?.paths ?? []).map((path) => [path, name] as const)
  );
  const findOwner = (method: string, path: string) =>
    owners.get(`${method} ${path}`) ??
      onDemand.find(([above]) => path === above || path.startsWith(`${above}/`))
        ?.[1];
  for (const [{ name }, { routes = {}, routesOnDemand }] of installed) {
    const endpoints = Object.entries(routes).flatMap(([version, router]) =>
      router.routes.map(({ method, path }) =>
        [method, `/${version}${path}`] as const
      )
    );
    const paths = (routesOnDemand?.paths ?? []).map((path) =>
      ["any method of", path] as const
    );
    for (const [method, path] of [...endpoints, ...paths]) {
      const owner = findOwner(method, path) ?? name;
      if (owner !== name && method !== "ALL") {
        throw new TypeError(
          `Cannot set up app "${name}": "${method} ${path}" is an endpoint of "${owner}", expected another path`,
        );
      }
      owners.set(`${method} ${path}`, owner);
    }
  }
}

/**
 * Returns the problem codes of apps and plugins.
 *
 * @throws {TypeError} If two of them declare the same code, or one declares a common code.
 */
export function mergeProblems(
  owners: Iterable<Named & { readonly problems?: Problems | undefined }>,
): Problems {
  const owned = new Map<string, string>();
  const merged: Record<string, Problems[string]> = {};
  for (const { name, problems = {} } of owners) {
    for (const [code, kind] of Object.entries(problems)) {
      const owner = isCommonCode(code) ? "the core" : owned.get(code);
      if (owner !== undefined) {
        throw new TypeError(
          `Cannot add code "${code}" of "${name}": ${owner} has it, expected one of its own, such as "${name}_${code}"`,
        );
      }
      owned.set(code, `"${name}"`);
      merged[code] = kind;
    }
  }
  return merged;
}

/** Form of the type of an event: names that are joined by dots. */
const EVENT_TYPE = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;

/**
 * Returns the types of events of apps.
 *
 * @throws {TypeError} If two apps declare the same type, or the name of one has another form.
 */
export function mergeEventTypes(
  apps: Iterable<Pick<App, "name" | "eventTypes">>,
): EventTypes {
  const owners = new Map<string, string>();
  const merged: Record<string, EventTypes[string]> = {};
  for (const { name, eventTypes = {} } of apps) {
    for (const [type, declared] of Object.entries(eventTypes)) {
      const owner = owners.get(type);
      if (owner !== undefined || !EVENT_TYPE.test(type)) {
        throw new TypeError(
          `Cannot add event type "${type}" of "${name}": ${
            owner === undefined ? "its form is wrong" : `"${owner}" has it`
          }, expected one of its own, such as "${name}.created"`,
        );
      }
      owners.set(type, name);
      merged[type] = declared;
    }
  }
  return merged;
}

/** Returns the functions by which apps take sockets, each limited to callers with the app's roles. */
export function collectUpgraders(
  installed: Iterable<InstalledApp>,
): readonly NonNullable<InstalledApp["upgrade"]>[] {
  return [...installed].flatMap(({ upgrade, upgradeRoles = [] }) =>
    upgrade
      ? [
        async (request, socket, head, context) =>
          hasRole(context.caller ?? ANONYMOUS, upgradeRoles) &&
          await upgrade(request, socket, head, context),
      ]
      : []
  );
}
