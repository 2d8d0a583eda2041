import { defineApp } from "../../core/app.ts";
import { createRouter } from "../../http/router.ts";
import { createPoolOperationRoutes } from "./api/v1/pool_operations.ts";
import { createPoolRoutes } from "./api/v1/pools.ts";
import { POOL_EVENT_TYPES } from "./event_types.ts";
import { WorkPoolManager } from "./manager.ts";
import { poolProblems } from "./problems.ts";
import { encryptPools } from "./store/secrets.ts";

/** Work pools: how browsers are run, and which pool a session is assigned to. */
export const workerPoolApp = defineApp<WorkPoolManager>({
  name: "workerpool",
  verboseName: "Work pools",
  problems: poolProblems,
  eventTypes: POOL_EVENT_TYPES,
  setup(core) {
    const manager = new WorkPoolManager(core);
    return {
      manager,
      protectSecrets: () => encryptPools(core.db, core.secrets),
      routes: {
        v1: createRouter()
          .route("/", createPoolRoutes(manager))
          .route("/", createPoolOperationRoutes(manager)),
      },
      routesOnDemand: {
        paths: ["/v1/workerpool/providers"],
        async load() {
          const { createProviderRoutes } = await import(
            "./api/v1/providers.ts"
          );
          return { routes: { v1: createProviderRoutes(core.providers) } };
        },
      },
      tags: {
        "Work pools": "Providers, limits and defaults that sessions inherit",
      },
    };
  },
});
