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
  setup: (core) => ({ manager: new LiveManager(core) }),
});
