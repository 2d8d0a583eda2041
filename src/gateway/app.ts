import { handoverApp } from "../apps/handover/app.ts";
import { sessionsApp } from "../apps/sessions/app.ts";
import { defineApp } from "../core/app.ts";
import { createRouter } from "../http/router.ts";
import { KeyedMutex } from "../async/keyed_mutex.ts";
import { OnDemand } from "../async/on_demand.ts";
import { createContentRoutes } from "./capture/content_routes.ts";
import { createPdfRoutes } from "./capture/pdf_routes.ts";
import { createScreenshotRoutes } from "./capture/screenshot_routes.ts";
import { createListRoutes } from "./devtools/list_routes.ts";
import { createTargetRoutes } from "./devtools/target_routes.ts";
import { createVersionRoutes } from "./devtools/version_routes.ts";
import { createSocketRoutes } from "./socket_routes.ts";
import { gatewayProblems, shuttingDown } from "./problems.ts";
import { ConnectionMetrics } from "./connection_metrics.ts";
import { tunnels } from "./tunnel/app.ts";
import { createWebDriverRoutes } from "./webdriver_routes.ts";

/** The gateway: connects clients with the browsers of sessions. */
export const gateway = defineApp({
  name: "gateway",
  verboseName: "Gateway",
  problems: gatewayProblems,
  setup(core) {
    const manager = core.use(sessionsApp);
    const handovers = core.use(handoverApp);
    const { dialerFor, prefetch } = core.use(tunnels);
    const devtools = { core, manager, dialerFor };
    const capture = { ...devtools, locks: new KeyedMutex() };
    const metrics = new ConnectionMetrics(core.metrics);
    const clients = new OnDemand(async () => {
      if (core.stopping.aborted) throw shuttingDown();
      const { Clients } = await import("./clients.ts");
      return new Clients({ ...devtools, handovers, metrics });
    });
    return {
      manager: {},
      routes: {
        v1: createRouter()
          .route("/", createVersionRoutes(devtools))
          .route("/", createListRoutes(devtools))
          .route("/", createTargetRoutes(devtools))
          .route("/", createScreenshotRoutes(capture))
          .route("/", createPdfRoutes(capture))
          .route("/", createContentRoutes(capture))
          .route("/", createSocketRoutes(clients)),
      },
      rootRoutes: createWebDriverRoutes(),
      tags: {
        Connect:
          "WebSockets that connect clients with browsers, and Chrome's HTTP endpoints",
        Capture:
          "Captures a page of a session as a screenshot, PDF or HTML, with or without a connected client",
      },
      ready() {
        // The first client waits neither for the modules nor for the thread of streams.
        const subscription = core.bus.subscribe(({ type }) => {
          const isCreated = type === "session_created";
          if (!isCreated && type !== "worker_registered") return;
          prefetch();
          clients.prefetch((loaded) => {
            if (isCreated) void loaded.startThread();
          });
        });
        return {
          async [Symbol.asyncDispose]() {
            subscription[Symbol.dispose]();
            await clients[Symbol.asyncDispose]();
          },
        };
      },
    };
  },
});
