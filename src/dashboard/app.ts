import { defineApp } from "../core/app.ts";
import { createIndexRoutes } from "./index_routes.ts";

/** The dashboard: pages in the browser that show the grid. All but the route of `/` is loaded when it is opened. */
export const dashboardApp = defineApp<undefined>({
  name: "dashboard",
  verboseName: "Dashboard",
  setup: ({ version, settings }) => ({
    manager: undefined,
    rootRoutes: createIndexRoutes(version),
    routesOnDemand: {
      paths: ["/ui", "/live"],
      async load() {
        const { createPageRoutes } = await import("./page_routes.ts");
        return { rootRoutes: createPageRoutes(settings) };
      },
    },
  }),
});
