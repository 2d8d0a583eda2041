import { sessionsApp } from "../apps/sessions/app.ts";
import { defineApp } from "../core/app.ts";
import { createRouter } from "../http/router.ts";
import { ClientConnections } from "./client_connections.ts";
import { KeyedMutex } from "../async/keyed_mutex.ts";
import { createContentRoutes } from "./capture/content_routes.ts";
import { createPdfRoutes } from "./capture/pdf_routes.ts";
import { createScreenshotRoutes } from "./capture/screenshot_routes.ts";
import { createListRoutes } from "./devtools/list_routes.ts";
import { createTargetRoutes } from "./devtools/target_routes.ts";
import { createVersionRoutes } from "./devtools/version_routes.ts";
import { ConnectionLimiter } from "./connection_limiter.ts";
import { createSocketRoutes } from "./socket_routes.ts";
import { OpenStreams } from "./stream/open_streams.ts";
import { gatewayProblems } from "./problems.ts";
import { tunnels } from "./tunnel/app.ts";
import { createWebDriverRoutes } from "./webdriver_routes.ts";

/** The gateway: connects clients with the browsers of sessions. */
export const gateway = defineApp({
  name: "gateway",
  verboseName: "Gateway",
  problems: gatewayProblems,
  setup(core) {
    const manager = core.use(sessionsApp);
    const { dialerFor } = core.use(tunnels);
    const streams = new OpenStreams(core, manager);
    const connections = new ClientConnections({
      core,
      manager,
      streams,
      limiter: new ConnectionLimiter(core.clock),
      dialerFor,
    });
    const devtools = { core, manager, dialerFor };
    const capture = { ...devtools, locks: new KeyedMutex() };
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
          .route("/", createSocketRoutes(connections)),
      },
      rootRoutes: createWebDriverRoutes(),
      tags: {
        Connect:
          "WebSockets that connect clients with browsers, and Chrome's HTTP endpoints",
        Capture:
          "Captures a page of a session as a screenshot, PDF or HTML, with or without a connected client",
      },
      ready() {
        const running = streams.start();
        return {
          async [Symbol.asyncDispose]() {
            await running[Symbol.asyncDispose]();
            await connections.settled();
          },
        };
      },
    };
  },
});
