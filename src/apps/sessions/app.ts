import { z } from "@hono/zod-openapi";
import { OnDemand } from "../../async/on_demand.ts";
import { defineApp } from "../../core/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { SESSION_EVENT_TYPES } from "./event_types.ts";
import { SessionManager } from "./manager.ts";
import { sessionProblems } from "./problems.ts";
import { createV1Routes } from "./routes.ts";
import { protectSessions } from "./store/secrets.ts";

const optionsSchema = z.strictObject({
  max_log_streams: z.int().min(1).default(100).describe(
    "Maximum number of clients that follow the output of sessions at this server",
  ),
  max_log_streams_per_key: z.int().min(1).default(20).describe(
    "Maximum number of those of one key",
  ),
});

/** Sessions: requested browsers, from the request to a terminal status. */
export const sessionsApp = defineApp<SessionManager>({
  name: "sessions",
  verboseName: "Sessions",
  problems: sessionProblems,
  eventTypes: SESSION_EVENT_TYPES,
  setup(core) {
    const manager = new SessionManager(core, core.use(workerPoolApp));
    const { max_log_streams, max_log_streams_per_key } = core.options(
      optionsSchema,
    );
    const logs = new OnDemand(async () => {
      const { SessionLogs } = await import("./logs/session_logs.ts");
      return new SessionLogs(core, {
        max_streams: max_log_streams,
        max_streams_per_key: max_log_streams_per_key,
      });
    });
    return {
      manager,
      protectSecrets: () => protectSessions(core.db, core.secrets),
      routes: { v1: createV1Routes(core, manager, logs) },
      tags: {
        Sessions: "Requested browsers, from the request to a terminal status",
      },
    };
  },
});
