import { sessions } from "../../apps/sessions/app.ts";
import { workersApp } from "../../apps/workers/app.ts";
import { defineApp } from "../../core/app.ts";
import type { WayTo } from "../dialer.ts";
import { attend } from "./accept.ts";
import { socketRoutes } from "./routes.ts";
import { Tunnels } from "./tunnels.ts";
import { Verdicts } from "./reachability.ts";
import { createWays } from "./dialers.ts";

/** What leads to browsers. */
export interface TunnelManager {
  readonly wayTo: WayTo;
}

/**
 * Tunnels: workers that no connection leads to open one themselves, and browsers are reached along it; others are reached
 * directly.
 */
export const tunnels = defineApp<TunnelManager>({
  name: "tunnels",
  verboseName: "Tunnels",
  setup(core) {
    const known = core.use(workersApp);
    const open = new Tunnels(core, known);
    const verdicts = new Verdicts(core, core.use(sessions), known);
    return {
      manager: {
        wayTo: createWays({ core, workers: known, tunnels: open, verdicts }),
      },
      routes: { v1: socketRoutes() },
      tags: {
        Tunnels:
          "Sockets by which workers and the servers of a grid reach each other",
      },
      upgradeRoles: ["client", "worker"],
      upgrade: (request, socket, head, context) =>
        attend({ core, workers: known, tunnels: open }, {
          request,
          socket,
          head,
          context,
        }),
      ready() {
        const running = new AsyncDisposableStack();
        running.use(open.start());
        running.use(verdicts.start());
        return running;
      },
    };
  },
});
