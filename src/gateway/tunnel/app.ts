import { sessions } from "../../apps/sessions/app.ts";
import { workersApp } from "../../apps/workers/app.ts";
import { defineApp } from "../../core/app.ts";
import type { DialerFor } from "../dialer.ts";
import { createTunnelRoutes } from "./handle_upgrade.ts";
import { WorkerTunnels } from "./tunnels.ts";
import { ReachabilityCache } from "./reachability.ts";
import { createDialers } from "./dialers.ts";

/** What leads to browsers. */
export interface TunnelManager {
  readonly dialerFor: DialerFor;
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
    const open = new WorkerTunnels(core, known);
    const reachability = new ReachabilityCache(core, core.use(sessions), known);
    return {
      manager: {
        dialerFor: createDialers({
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
        Tunnels:
          "Sockets by which workers and the servers of a grid reach each other",
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
