import { z } from "zod";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { wholeNumber } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { contentCommand, pdfCommand, screenshotCommand } from "./capture.ts";
import { sessionCreateCommand } from "./create.ts";
import { handoverCommand } from "./handover.ts";
import {
  liveCommand,
  liveLinksCommand,
  revokeLiveLinkCommand,
} from "./live.ts";
import { logsCommand } from "./logs.ts";
import { eventsCommand, getCommand, listCommand } from "./read.ts";
import { metricsCommand } from "./metrics.ts";
import { sessionStopCommand } from "./stop.ts";

/** `browsergrid session refresh`. */
const refreshCommand = defineCommand({
  name: "refresh",
  description: "Extend the life of a session, counted from now",
  arguments: { session: word("id") },
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

/** Commands below `browsergrid session`. */
export const sessionCommands: readonly Command[] = [
  sessionCreateCommand,
  listCommand,
  getCommand,
  eventsCommand,
  metricsCommand,
  logsCommand,
  screenshotCommand,
  pdfCommand,
  contentCommand,
  liveCommand,
  liveLinksCommand,
  revokeLiveLinkCommand,
  handoverCommand,
  refreshCommand,
  sessionStopCommand,
];
