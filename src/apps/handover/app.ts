import { defineApp } from "../../core/app.ts";
import { liveApp } from "../live/app.ts";
import { sessionsApp } from "../sessions/app.ts";
import { HandoverManager } from "./manager.ts";
import { handoverProblems } from "./problems.ts";

/** Hand-over: a client asks a person to take control of a session, and gets it back. */
export const handoverApp = defineApp<HandoverManager>({
  name: "handover",
  verboseName: "Hand-over",
  problems: handoverProblems,
  setup(core) {
    const manager = new HandoverManager(core, {
      sessions: core.use(sessionsApp),
      live: core.use(liveApp),
    });
    return {
      manager,
      routesOnDemand: {
        paths: ["/v1/sessions/:id/handover"],
        async load() {
          const { createHandoverRoutes } = await import(
            "./api/v1/handover.ts"
          );
          return { routes: { v1: createHandoverRoutes(core, manager) } };
        },
      },
      tags: {
        "Hand-over": "Requests to people to take control of a session",
      },
    };
  },
});
