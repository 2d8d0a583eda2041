import { defineApp } from "../../core/app.ts";
import { LIVE_EVENT_TYPES } from "./event_types.ts";
import { LiveManager } from "./manager.ts";
import { liveProblems } from "./problems.ts";

/** The live view: links by which people watch the browser of a session, and take control of it. */
export const liveApp = defineApp<LiveManager>({
  name: "live",
  verboseName: "Live view",
  problems: liveProblems,
  eventTypes: LIVE_EVENT_TYPES,
  setup(core) {
    const manager = new LiveManager(core);
    return {
      manager,
      routesOnDemand: {
        paths: ["/v1/sessions/:id/live-links"],
        async load() {
          const { createLinkRoutes } = await import("./api/v1/links.ts");
          return { routes: { v1: createLinkRoutes(core, manager) } };
        },
      },
      tags: {
        "Live view": "Links by which people watch browsers and control them",
      },
    };
  },
});
