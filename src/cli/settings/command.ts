import { type Command, defineCommand } from "../command.ts";

/** `browsergrid settings`. */
export const settingsCommand: Command = defineCommand({
  name: "settings",
  description:
    "List every setting with its variable, type and default, or its value here",
  async options() {
    const { settingsOptions } = await import("./print_settings.ts");
    return settingsOptions();
  },
  examples: [
    "settings",
    "settings --values",
    "settings --values --config grid.json --json",
    "settings --markdown",
  ],
  notes:
    "Later ones win: default, configuration file, variable, flag.\nSecrets are named, not shown.",
  async run(options, { output }) {
    const { printSettings } = await import("./print_settings.ts");
    await printSettings(options, output);
  },
});
