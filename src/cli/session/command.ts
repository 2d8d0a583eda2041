import { type Command, defineCommand } from "../command.ts";

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
  async commands() {
    const { sessionCommands } = await import("./session.ts");
    return sessionCommands;
  },
});
