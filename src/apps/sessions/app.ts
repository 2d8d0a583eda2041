import { defineApp } from "../../core/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { createSessionManager, type SessionManager } from "./manager.ts";
import { sessionRoutes } from "./routes.ts";
import { createSessionStore } from "./store/sessions.ts";
import { createDeadlineStore } from "./store/deadlines.ts";
import { createChangeStore } from "./store/changes.ts";
import { createActivityStore } from "./store/activity.ts";
import { protectSessions } from "./store/secrets.ts";
import { sessionProblems } from "./problems.ts";

/** Sessions: browsers asked for, from the request to the end. */
export const sessions = defineApp<SessionManager>({
  name: "sessions",
  verboseName: "Sessions",
  problems: sessionProblems,
  setup(core) {
    const manager = createSessionManager(
      core,
      core.use(workerPoolApp),
      createSessionStore(core.db),
      {
        deadlines: createDeadlineStore(core.db),
        changes: createChangeStore(core.db),
        activity: createActivityStore(core.db),
      },
    );
    return {
      manager,
      protectSecrets: () => protectSessions(core.db, core.secrets),
      routes: { v1: sessionRoutes(core, manager) },
      tags: { Sessions: "Browsers asked for, from the request to the end" },
    };
  },
});
