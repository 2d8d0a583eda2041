import { sessionsApp } from "../../apps/sessions/app.ts";
import { workersApp } from "../../apps/workers/app.ts";
import { OnDemand } from "../../async/on_demand.ts";
import { defineApp } from "../../core/app.ts";
import { createLogger, describeError } from "../../core/log.ts";
import type { DialerFor } from "../dialer.ts";
import { createTunnelRoutes } from "./routes.ts";

const log = createLogger("gateway", "tunnels");

/** Public interface of the tunnels. */
export interface TunnelManager {
  readonly dialerFor: DialerFor;
  /** Loads the dialers before one is used. */
  prefetch(): void;
}

/**
 * Tunnels: a worker that servers cannot connect to opens a tunnel, through which its browsers are reached. Browsers of
 * other workers are reached directly. All but the routes is loaded on first use.
 */
export const tunnels = defineApp<TunnelManager>({
  name: "tunnels",
  verboseName: "Tunnels",
  setup(core) {
    const context = {
      core,
      sessions: core.use(sessionsApp),
      workers: core.use(workersApp),
    };
    const loaded = new OnDemand(async () => {
      const { Tunnels } = await import("./tunnels.ts");
      return new Tunnels(context);
    });
    return {
      manager: {
        dialerFor: async (target) => (await loaded.get()).dialerFor(target),
        prefetch: () => loaded.prefetch(),
      },
      routes: { v1: createTunnelRoutes(loaded) },
      tags: {
        Tunnels: "Sockets between the workers and the servers of a grid",
      },
      ready() {
        // A worker of unknown reachability is probed when one of its browsers has started.
        const subscription = core.bus.subscribe((event) => {
          if (event.type !== "browser_started" || !event.is_reach_open) return;
          loaded.get().then(
            ({ reachability }) => reachability.probe(event.subject),
            (error) =>
              log.warn("Reachability cannot be probed: {error}", {
                error: describeError(error),
              }),
          );
        });
        return {
          async [Symbol.asyncDispose]() {
            subscription[Symbol.dispose]();
            await loaded[Symbol.asyncDispose]();
          },
        };
      },
    };
  },
});
