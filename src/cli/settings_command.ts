import { Command } from "@commander-js/extra-typings";
import { settingsTable } from "../core/settings.ts";
import type { Output } from "./output.ts";

/** `browsergrid settings`: every setting with its variable and default. */
export function settingsCommand(output: Output): Command {
  const command = new Command("settings")
    .description("List every setting with its variable and default")
    .option("--json", "print JSON");
  command.action(({ json }) => {
    const rows = settingsTable();
    if (json) return output.json(rows);
    output.table(
      ["variable", "default", "what"],
      rows.map((row) => [row.variable, row.default, row.description]),
    );
  });
  return command as unknown as Command; // Without the types of its own options.
}
