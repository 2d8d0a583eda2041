import { type Command, defineCommand } from "../command.ts";

/** `browsergrid events`. */
export const eventsCommand: Command = defineCommand({
  name: "events",
  description: "Show the events of the grid, and follow them",
  async options() {
    const { declareEventOptions } = await import("./options.ts");
    return declareEventOptions();
  },
  examples: [
    "events --type session.failed,session.crashed --since 2h",
    "events --session SESSION",
    "events --follow --label team=search",
    "events --follow --limit 0 --json",
  ],
  notes:
    `With --follow, Ctrl+C ends the command with code 0, a lost connection is
opened again without losing an event, and --json prints an event a line.`,
  async run(options, { output }) {
    const { showEvents } = await import("./events.ts");
    await showEvents(options, output);
  },
});
