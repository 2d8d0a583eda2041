import type { OpenAPIHono } from "@hono/zod-openapi";
import type { InstalledApp, RoutesOnDemand } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";

type Router = OpenAPIHono<GridEnv>;

/** Adds the routes of apps to a router, at once or when a request needs them. */
export class RouteLoader {
  readonly #root: Router;
  readonly #deferred: DeferredRoutes[] = [];

  constructor(root: Router) {
    this.#root = root;
  }

  /** Prepares the routes that are loaded on demand. Must be called before any other middleware is added. */
  prepare(routes: RoutesOnDemand): void {
    const deferred = new DeferredRoutes(this.#root, routes);
    this.#deferred.push(deferred);
    for (const path of routes.paths) {
      // Matches the path itself too.
      this.#root.use(`${path}/*`, async (c, next) => {
        if (deferred.isLoaded) return await next();
        await deferred.load();
        return await this.#root.fetch(c.req.raw, c.env);
      });
    }
  }

  /** Loads the routes of every app, as the API description needs them. */
  async loadAll(): Promise<void> {
    for (const each of this.#deferred) await each.load();
  }
}

/** Routes that are added to a router once. */
class DeferredRoutes {
  readonly #root: Router;
  readonly #routes: RoutesOnDemand;
  #loading: Promise<void> | undefined;
  isLoaded = false;

  constructor(root: Router, routes: RoutesOnDemand) {
    this.#root = root;
    this.#routes = routes;
  }

  /** Rejects if they cannot be loaded; the next call tries again. */
  async load(): Promise<void> {
    this.#loading ??= this.#add();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  async #add(): Promise<void> {
    addRoutes(this.#root, await this.#routes.load());
    this.isLoaded = true;
  }
}

/** Adds the routes of an app to `root`: those of a version below its name. */
export function addRoutes(
  root: Router,
  { routes = {}, rootRoutes }: Pick<InstalledApp, "routes" | "rootRoutes">,
): void {
  for (const [version, router] of Object.entries(routes)) {
    root.route(`/${version}`, router);
  }
  if (rootRoutes) root.route("/", rootRoutes);
}
