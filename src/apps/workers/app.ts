import { defineApp } from "../../core/app.ts";
import { createRouter } from "../../http/router.ts";
import { sessionsApp } from "../sessions/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { createServiceRoutes } from "./api/v1/service.ts";
import { createWorkerRoutes } from "./api/v1/workers.ts";
import { createEndpointCheck } from "./endpoints.ts";
import { WORKER_EVENT_TYPES } from "./event_types.ts";
import { WorkerManager } from "./manager.ts";
import { workerProblems } from "./problems.ts";

/** Workers: registration, heartbeats and claims. */
export const workersApp = defineApp<WorkerManager>({
  name: "workers",
  verboseName: "Workers",
  problems: workerProblems,
  eventTypes: WORKER_EVENT_TYPES,
  setup(core) {
    const manager = new WorkerManager(
      core,
      core.use(workerPoolApp),
      core.use(sessionsApp),
    );
    const checkEndpoints = createEndpointCheck(core.settings);
    return {
      manager,
      routes: {
        v1: createRouter()
          .route("/", createWorkerRoutes(manager, core.version))
          .route("/", createServiceRoutes(manager, checkEndpoints)),
      },
      tags: { Workers: "Workers of the work pools, and their sessions" },
    };
  },
});
