import { z } from "@hono/zod-openapi";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { wholeNumber } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";

/** `browsergrid session refresh`. */
export const refreshCommand: Command = defineCommand({
  name: "refresh",
  description: "Extend the life of a session, counted from now",
  arguments: () => z.object({ session: z.string().describe("id") }),
  options: () =>
    z.object({
      ...clientOptions(),
      minutes: wholeNumber().optional().meta({
        flags: "--minutes <number>",
        description: "how long (as at its creation)",
      }),
    }),
  examples: ["session refresh SESSION", "session refresh SESSION --json"],
  async run({ session: id, minutes, ...options }, { output }) {
    const client = await connectClient(options, output);
    const session = await client.refreshSession(id, minutes);
    if (options.json) output.json(session);
    else output.print(`Session ${id} continues until ${session.expires_at}`);
  },
});
