import { defineApp } from "../../core/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { SessionManager } from "./manager.ts";
import { sessionProblems } from "./problems.ts";
import { createV1Routes } from "./routes.ts";
import { protectSessions } from "./store/secrets.ts";

/** Sessions: requested browsers, from the request to a terminal status. */
export const sessionsApp = defineApp<SessionManager>({
  name: "sessions",
  verboseName: "Sessions",
  problems: sessionProblems,
  setup(core) {
    const manager = new SessionManager(core, core.use(workerPoolApp));
    return {
      manager,
      protectSecrets: () => protectSessions(core.db, core.secrets),
      routes: { v1: createV1Routes(core, manager) },
      tags: {
        Sessions: "Requested browsers, from the request to a terminal status",
      },
    };
  },
});
