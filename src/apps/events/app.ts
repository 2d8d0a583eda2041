import { z } from "@hono/zod-openapi";
import { OnDemand } from "../../async/on_demand.ts";
import { defineApp } from "../../core/app.ts";
import { EventManager } from "./manager.ts";
import { eventProblems } from "./problems.ts";

const optionsSchema = z.strictObject({
  max_streams: z.int().min(1).default(500).describe(
    "Maximum number of event streams of this server",
  ),
  max_streams_per_key: z.int().min(1).default(100).describe(
    "Maximum number of event streams of one key at this server",
  ),
});

/** The record of events, which the other apps write with their changes. */
export const eventsApp = defineApp<EventManager>({
  name: "events",
  verboseName: "Events",
  problems: eventProblems,
  setup(core) {
    const manager = new EventManager(core);
    const limits = core.options(optionsSchema);
    const streams = new OnDemand(async () => {
      const { EventStreams } = await import("./stream/event_streams.ts");
      return new EventStreams(core, manager, limits);
    });
    return {
      manager,
      routesOnDemand: {
        paths: ["/v1/events"],
        async load() {
          const { createV1Routes } = await import("./routes.ts");
          return { routes: { v1: createV1Routes(core, { manager, streams }) } };
        },
      },
      tags: { Events: "Everything that happens in the grid, in order" },
    };
  },
});
