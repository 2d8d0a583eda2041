import { z } from "@hono/zod-openapi";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { wholeNumber } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { contentCommand, pdfCommand, screenshotCommand } from "./capture.ts";
import { sessionCreateCommand } from "./create.ts";
import {
  eventsCommand,
  getCommand,
  listCommand,
  logsCommand,
  metricsCommand,
} from "./read.ts";
import { sessionStopCommand } from "./stop.ts";

/** `browsergrid session refresh`. */
const refreshCommand = defineCommand({
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

/** `browsergrid session`. */
export const sessionCommand: Command = defineCommand({
  name: "session",
  description: "Create, inspect and stop sessions",
  examples: [
    "session create --wait --label team=search",
    "session list --status running",
    "session screenshot SESSION --output page.png",
    "session stop SESSION",
  ],
  commands: [
    sessionCreateCommand,
    listCommand,
    getCommand,
    eventsCommand,
    metricsCommand,
    logsCommand,
    screenshotCommand,
    pdfCommand,
    contentCommand,
    refreshCommand,
    sessionStopCommand,
  ],
});
