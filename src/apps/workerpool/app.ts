import { defineApp } from "../../core/app.ts";
import { createPoolRoutes } from "./api/v1/pools.ts";
import { createPoolManager, type WorkPoolManager } from "./manager.ts";
import { createPoolStore } from "./store/pools.ts";
import { protectPools } from "./store/secrets.ts";
import { poolProblems } from "./problems.ts";

/** Work pools: how browsers are run, and which of them a session goes to. */
export const workerPoolApp = defineApp<WorkPoolManager>({
  name: "workerpool",
  verboseName: "Work pools",
  problems: poolProblems,
  setup(core) {
    const manager = createPoolManager(
      core,
      createPoolStore(core.db, core.secrets),
    );
    return {
      manager,
      protectSecrets: () => protectPools(core.db, core.secrets),
      routes: { v1: createPoolRoutes(manager) },
      tags: {
        "Work pools":
          "How browsers are run, and what the sessions in them inherit",
      },
    };
  },
});
