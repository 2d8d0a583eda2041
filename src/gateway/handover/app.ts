import { handoverApp } from "../../apps/handover/app.ts";
import { HANDOVER_UNCHECKED } from "../../apps/handover/manager.ts";
import { sessionsApp } from "../../apps/sessions/app.ts";
import { OnDemand } from "../../async/on_demand.ts";
import { defineApp } from "../../core/app.ts";
import { tunnels } from "../tunnel/app.ts";

/** Checks the conditions that end hand-overs. All of it is loaded by the first one. */
export const handoverConditions = defineApp<undefined>({
  name: "handover_conditions",
  verboseName: "Hand-over conditions",
  setup(core) {
    const context = {
      core,
      handovers: core.use(handoverApp),
      sessions: core.use(sessionsApp),
      dialerFor: core.use(tunnels).dialerFor,
    };
    const checker = new OnDemand(async () => {
      const { ConditionChecker } = await import("./condition_checker.ts");
      return new ConditionChecker(context);
    });
    return {
      manager: undefined,
      ready() {
        const subscription = core.bus.subscribe(({ type }) => {
          if (type !== HANDOVER_UNCHECKED || core.stopping.aborted) return;
          checker.prefetch((loaded) => loaded.start());
        });
        return {
          async [Symbol.asyncDispose]() {
            subscription[Symbol.dispose]();
            await checker[Symbol.asyncDispose]();
          },
        };
      },
    };
  },
});
