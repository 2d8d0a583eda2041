import { defineApp } from "../../core/app.ts";
import { sessions } from "../sessions/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { workerRoutes } from "./routes.ts";
import { createWorkerManager, type WorkerManager } from "./manager.ts";
import { createWorkerStore } from "./store/workers.ts";
import { workerProblems } from "./problems.ts";

/** Workers: who serves a work pool, and what they hold. */
export const workersApp = defineApp<WorkerManager>({
  name: "workers",
  verboseName: "Workers",
  problems: workerProblems,
  setup(core) {
    const manager = createWorkerManager(
      core,
      core.use(workerPoolApp),
      core.use(sessions),
      createWorkerStore(core.db),
    );
    return {
      manager,
      routes: { v1: workerRoutes(manager, core.settings) },
      tags: { Workers: "Who serves a work pool, and what they hold" },
    };
  },
});
