import { sessions } from "../apps/sessions/app.ts";
import { defineApp } from "../core/app.ts";
import { createRouter } from "../http/router.ts";
import { abortOnClose } from "./abort_on_close.ts";
import { serveClient } from "./connection.ts";
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
import type { Upgrade } from "../http/server/socket_route.ts";
import type { UpgradeTarget } from "./upgrade_request.ts";
import { createWebDriverRoutes } from "./webdriver_routes.ts";

/** The gateway: joins clients' sockets with browsers'. */
export const gateway = defineApp({
  name: "gateway",
  verboseName: "Gateway",
  problems: gatewayProblems,
  setup(core) {
    const manager = core.use(sessions);
    const { dialerFor } = core.use(tunnels);
    const streams = new OpenStreams(core, manager);
    const limiter = new ConnectionLimiter(core.clock);
    const serving = new Set<Promise<void>>();
    const devtools = { core, manager, dialerFor };
    const capture = { ...devtools, locks: new KeyedMutex() };
    async function serve(
      { request, socket, head, context }: Upgrade,
      target: UpgradeTarget,
    ): Promise<void> {
      const abandoned = abortOnClose(socket);
      const client = { request, socket, head, context, abandoned };
      const done = serveClient(
        { core, manager, streams, limiter, dialerFor },
        client,
        target,
        context.url.searchParams,
      );
      serving.add(done);
      await done;
      serving.delete(done);
    }
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
          .route("/", createSocketRoutes(serve)),
      },
      rootRoutes: createWebDriverRoutes(),
      tags: {
        Connect:
          "Joins clients with browsers: WebSockets, and how they are found",
        Capture:
          "Captures a page of a session as a screenshot, PDF or HTML, with or without a connected client",
      },
      ready() {
        const running = streams.start();
        return {
          async [Symbol.asyncDispose]() {
            await running[Symbol.asyncDispose]();
            // Each ends what it began: a session of its own, its record.
            await Promise.all(serving);
          },
        };
      },
    };
  },
});
