import { handoverApp } from "../../apps/handover/app.ts";
import { liveApp } from "../../apps/live/app.ts";
import { sessionsApp } from "../../apps/sessions/app.ts";
import { OnDemand } from "../../async/on_demand.ts";
import { defineApp } from "../../core/app.ts";
import { tunnels } from "../tunnel/app.ts";
import { liveViewProblems } from "./problems.ts";
import { createLiveRoutes } from "./routes.ts";

/** The live view: people see and control the browsers of sessions. All but the routes is loaded by the first viewer. */
export const liveView = defineApp<undefined>({
  name: "live_view",
  verboseName: "Live view",
  problems: liveViewProblems,
  setup(core) {
    const context = {
      core,
      sessions: core.use(sessionsApp),
      links: core.use(liveApp),
      control: core.use(handoverApp),
      dialerFor: core.use(tunnels).dialerFor,
    };
    const views = new OnDemand(async () => {
      const { LiveViews } = await import("./live_views.ts");
      return new LiveViews(context);
    });
    return {
      manager: undefined,
      routes: { v1: createLiveRoutes(views) },
      tags: { "Live view": "People see and control the browsers of sessions" },
      ready: () => ({
        [Symbol.asyncDispose]: () => views[Symbol.asyncDispose](),
      }),
    };
  },
});
