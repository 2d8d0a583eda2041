import { sessionsApp } from "../../apps/sessions/app.ts";
import { workersApp } from "../../apps/workers/app.ts";
import { defineApp } from "../../core/app.ts";
import type { DialerFor } from "../dialer.ts";
import { createTunnelHandlers } from "./tunnel_handlers.ts";
import { createTunnelRoutes } from "./routes.ts";
import { WorkerTunnels } from "./worker_tunnels.ts";
import { ReachabilityCache } from "./reachability.ts";
import { createDialerFor } from "./session_dialer.ts";

/** Public interface of the tunnels. */
export interface TunnelManager {
  readonly dialerFor: DialerFor;
}

/**
 * Tunnels: a worker that servers cannot connect to opens a tunnel, through which its browsers are reached. Browsers of
 * other workers are reached directly.
 */
export const tunnels = defineApp<TunnelManager>({
  name: "tunnels",
  verboseName: "Tunnels",
  setup(core) {
    const workers = core.use(workersApp);
    const tunnels = new WorkerTunnels(core, workers);
    const reachability = new ReachabilityCache(
      core,
      core.use(sessionsApp),
      workers,
    );
    const context = { core, workers, tunnels, reachability };
    return {
      manager: { dialerFor: createDialerFor(context) },
      routes: { v1: createTunnelRoutes(createTunnelHandlers(context)) },
      tags: {
        Tunnels: "Sockets between the workers and the servers of a grid",
      },
      ready() {
        const running = new AsyncDisposableStack();
        running.use(tunnels.start());
        running.use(reachability.start());
        return running;
      },
    };
  },
});
