import { z } from "@hono/zod-openapi";
import { type Command, defineCommand } from "../command.ts";
import { UsageError } from "../exit.ts";
import { text, wholeNumber } from "../options/option_types.ts";
import { workerCommands } from "./manage.ts";
import { workerOptions } from "./options.ts";

/** `browsergrid worker`. */
export const workerCommand: Command = defineCommand({
  name: "worker",
  description:
    "Start a worker for a work pool; it waits for its server. Or manage workers",
  options: () =>
    z.object({
      ...workerOptions(),
      work_pool_id: text(
        "--work-pool-id <id>",
        "id or name of the work pool (required)",
      ),
      drain_timeout: wholeNumber().optional().meta({
        flags: "--drain-timeout <seconds>",
        description:
          "how long sessions may continue after the first signal (as the server says)",
      }),
    }),
  examples: [
    "worker --work-pool-id containers --capacity 10",
    "worker --work-pool-id containers --api-url https://grid.example --reach tunnel",
    "worker list",
    "worker drain my-host-containers --timeout 600",
  ],
  notes:
    `The first signal drains: running sessions continue until they end or the drain
timeout is over. A second one ends them.`,
  commands: workerCommands,
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
