import { sessions } from "../apps/sessions/app.ts";
import { defineApp } from "../core/app.ts";
import { createRouter } from "../http/router.ts";
import { attend, goneSignal } from "./connection.ts";
import { chromeRoutes } from "./devtools/devtools_routes.ts";
import { lookRoutes } from "./capture/capture_routes.ts";
import { Seats } from "./connection_limiter.ts";
import { socketRoutes } from "./socket_routes.ts";
import { Streams } from "./stream/open_streams.ts";
import { gatewayProblems } from "./problems.ts";
import { tunnels } from "./tunnel/app.ts";
import { wantedOf } from "./upgrade_request.ts";

/** The gateway: joins clients' sockets with browsers'. */
export const gateway = defineApp({
  name: "gateway",
  verboseName: "Gateway",
  problems: gatewayProblems,
  setup(core) {
    const manager = core.use(sessions);
    const { wayTo } = core.use(tunnels);
    const streams = new Streams(core, manager);
    const seats = new Seats(core.clock);
    const attended = new Set<Promise<void>>();
    const parts = { core, manager, wayTo };
    return {
      manager: {},
      routes: {
        v1: createRouter()
          .route("/", chromeRoutes(parts))
          .route("/", lookRoutes(parts))
          .route("/", socketRoutes()),
      },
      tags: {
        Connect:
          "Joins clients with browsers: WebSockets, and how they are found",
        Looks: "Shows a session's page, whether a client is connected or none",
      },
      ready() {
        const running = streams.start();
        return {
          async [Symbol.asyncDispose]() {
            await running[Symbol.asyncDispose]();
            // Each ends what it began: a session of its own, its record.
            await Promise.all(attended);
          },
        };
      },
      // It refuses workers itself, with a reason.
      upgradeRoles: ["client", "worker"],
      async upgrade(request, socket, head, context) {
        const { url } = context;
        const wanted = wantedOf(url.pathname);
        if (!wanted) return false;
        const gone = goneSignal(socket);
        const client = { request, socket, head, context, gone };
        const done = attend(
          { core, manager, streams, seats, wayTo },
          client,
          wanted,
          url.searchParams,
        );
        attended.add(done);
        await done;
        attended.delete(done);
        return true;
      },
    };
  },
});
