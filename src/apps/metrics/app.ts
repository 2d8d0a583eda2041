import { defineApp } from "../../core/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { declareServerMetrics } from "./server_metrics.ts";
import { GridState } from "./grid_state.ts";

/** Metrics for Prometheus. Each part of the server declares its own; this app adds those of the database and shows all. */
export const metricsApp = defineApp({
  name: "metrics",
  verboseName: "Metrics",
  setup(core) {
    declareServerMetrics(core);
    const state = new GridState({
      ...core,
      pools: core.use(workerPoolApp),
    });
    return {
      manager: {},
      routesOnDemand: {
        paths: ["/metrics"],
        async load() {
          const [{ createMetricsRoutes }, { Scraper }] = await Promise.all([
            import("./routes.ts"),
            import("./scraper.ts"),
          ]);
          const scraper = new Scraper({ ...core, state });
          return { rootRoutes: createMetricsRoutes(scraper, core.settings) };
        },
      },
      tags: { Metrics: "Metrics of the grid and of this server" },
    };
  },
});
