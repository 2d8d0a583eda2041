import { type Command, defineCommand } from "../command.ts";
import { contentCommand, pdfCommand, screenshotCommand } from "./capture.ts";
import { sessionCreateCommand } from "./create.ts";
import {
  eventsCommand,
  getCommand,
  listCommand,
  logsCommand,
  metricsCommand,
} from "./read.ts";
import { refreshCommand } from "./refresh.ts";
import { sessionStopCommand } from "./stop.ts";

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
