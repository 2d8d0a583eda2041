import { StartWhenUsed } from "../../async/start_when_used.ts";
import { defineApp } from "../../core/app.ts";
import { createLogger } from "../../core/log.ts";
import { keysApp } from "../keys/app.ts";
import { workerPoolApp } from "../workerpool/app.ts";
import { workersApp } from "../workers/app.ts";
import { MACHINE_EVENT_TYPES } from "./event_types.ts";

const log = createLogger("apps", "scaling");

/**
 * Scaling: machines on which the workers of a pool run, for providers that have machines. Grids without such a pool load
 * nothing of it.
 */
export const scalingApp = defineApp({
  name: "scaling",
  verboseName: "Scaling",
  eventTypes: MACHINE_EVENT_TYPES,
  setup(core) {
    const neighbours = {
      keys: core.use(keysApp),
      pools: core.use(workerPoolApp),
      workers: core.use(workersApp),
    };
    const findProviders = () =>
      [...core.providers].filter(({ machines }) => machines)
        .map(({ name }) => name);
    return {
      manager: {},
      async protectSecrets() {
        const { client } = core.db;
        const { rows } = await client.execute(
          "SELECT 1 FROM scaled_pools LIMIT 1",
        );
        if (rows.length === 0) return 0;
        const { encryptScaling } = await import("./store/secrets.ts");
        return await encryptScaling(core.db, core.secrets);
      },
      ready() {
        const providers = findProviders();
        if (providers.length === 0) return undefined;
        const stack = new AsyncDisposableStack();
        const part = stack.use(
          new StartWhenUsed({
            clock: core.clock,
            async isUsed() {
              const { findScalablePools } = await import("./store/pools.ts");
              return (await findScalablePools(core.db, providers)).length > 0;
            },
            async start() {
              const { Scaler } = await import("./scaler.ts");
              return new Scaler({ core, ...neighbours, providers }).start();
            },
            onFailure: (error) =>
              log.error("Scaling cannot start: {error}", { error }),
          }),
        );
        stack.use(core.bus.subscribe(({ type }) => {
          if (type === "pool_created" || type === "pool_changed") {
            part.checkSoon();
          }
        }));
        return stack;
      },
    };
  },
});
