import { sessions } from "../../apps/sessions/app.ts";
import { workersApp } from "../../apps/workers/app.ts";
import { defineApp } from "../../core/app.ts";
import type { DialerFor } from "../dialer.ts";
import { createTunnelRoutes } from "./handle_upgrade.ts";
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
    const known = core.use(workersApp);
    const open = new WorkerTunnels(core, known);
    const reachability = new ReachabilityCache(core, core.use(sessions), known);
    return {
      manager: {
        dialerFor: createDialerFor({
          core,
          workers: known,
          tunnels: open,
          reachability,
        }),
      },
      routes: {
        v1: createTunnelRoutes({ core, workers: known, tunnels: open }),
      },
      tags: {
        Tunnels: "Sockets between the workers and the servers of a grid",
      },
      ready() {
        const running = new AsyncDisposableStack();
        running.use(open.start());
        running.use(reachability.start());
        return running;
      },
    };
  },
});
