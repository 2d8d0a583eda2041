import { type Command, defineCommand } from "../command.ts";
import { UsageError } from "../exit.ts";

/** `browsergrid worker`. */
export const workerCommand: Command = defineCommand({
  name: "worker",
  description:
    "Start a worker for a work pool; it waits for its server. Or manage workers",
  async options() {
    const { workerStartOptions } = await import("./options.ts");
    return workerStartOptions();
  },
  examples: [
    "worker --work-pool-id containers --capacity 10",
    "worker --work-pool-id containers --api-url https://grid.example --reach tunnel",
    "worker list",
    "worker drain my-host-containers --timeout 600",
  ],
  notes:
    `The first signal drains: running sessions continue until they end or the drain
timeout is over. A second one ends them.`,
  async commands() {
    const { workerCommands } = await import("./manage.ts");
    return workerCommands;
  },
  async run({ work_pool_id, ...options }, context) {
    // Commander would require the option of "worker list" too.
    if (work_pool_id === undefined) {
      throw new UsageError(
        "Cannot start a worker: it has no work pool, expected --work-pool-id ID",
      );
    }
    const { runWorker } = await import("./run_worker.ts");
    return await runWorker({ ...options, work_pool_id }, context);
  },
});
