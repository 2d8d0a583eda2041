/**
 * A plugin that keeps the main thread of the server busy for 20 of every 100 ms, as database calls do.
 *
 * @module
 */
import { defineApp } from "../../src/core/app.ts";
import { definePlugin } from "../../src/plugin/plugin.ts";

const BUSY_MS = 20;
const PERIOD_MS = 100;

const busy = defineApp({
  name: "busy",
  verboseName: "Busy",
  setup: () => ({
    manager: {},
    ready() {
      const timer = setInterval(spin, PERIOD_MS);
      return {
        [Symbol.asyncDispose]() {
          clearInterval(timer);
          return Promise.resolve();
        },
      };
    },
  }),
});

export default definePlugin({ name: "busy_main_thread", apps: [busy] });

function spin(): void {
  const until = performance.now() + BUSY_MS;
  while (performance.now() < until);
}
