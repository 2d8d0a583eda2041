import { Command } from "@commander-js/extra-typings";
import { listSettings, type SettingRow } from "../core/settings.ts";
import { type CommonFlags, loadedSettings } from "./config.ts";
import { examples } from "./help.ts";
import type { Output } from "./output.ts";
import { shownSettings } from "./shown_settings.ts";

/** `browsergrid settings`: every setting with its variable, type and default, or with its value here. */
export function settingsCommand(output: Output): Command {
  const command = new Command("settings")
    .description(
      "List every setting with its variable, type and default, or its value here",
    )
    .option("--values", "list the values in force here, and their origin")
    .option("--markdown", "print the table as Markdown")
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        [
          "settings",
          "settings --values",
          "settings --values --config grid.json --json",
          "settings --markdown",
        ],
        "Later ones win: default, configuration file, variable, flag.\nSecrets are named, not shown.",
      ),
    );
  command.action(async ({ values, json, markdown, config }) => {
    if (values) return await showValues({ config, json }, output);
    const rows = listSettings();
    if (json) return output.json(rows);
    if (markdown) return output.print(settingsMarkdown());
    output.table(HEAD, rows.map(cellsOf));
  });
  return command as unknown as Command; // Without the types of its own options.
}

const HEAD = ["variable", "type", "default", "what"];

function cellsOf(row: SettingRow): readonly string[] {
  return [row.variable, row.type, row.default, row.description];
}

/** The table of all settings for the README, as `deno fmt` leaves it. */
export function settingsMarkdown(): string {
  const rows = listSettings().map(({ variable, type, ...row }) =>
    [
      `\`${variable}\``,
      type,
      row.default && `\`${row.default}\``,
      row.description,
    ]
      .map((cell) => cell.replaceAll("|", "\\|"))
  );
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, at) =>
    Math.max(...all.map((row) => row[at]?.length ?? 0))
  );
  const line = (cells: readonly string[], fill = " ") =>
    `| ${
      widths.map((width, at) => (cells[at] ?? "").padEnd(width, fill)).join(
        " | ",
      )
    } |`;
  return [line(HEAD), line([], "-"), ...rows.map((row) => line(row))].join(
    "\n",
  );
}

async function showValues(
  flags: CommonFlags & { readonly json?: boolean | undefined },
  output: Output,
): Promise<void> {
  const { settings, origins, warnings } = await loadedSettings({}, flags);
  for (const warning of warnings) output.error(`warning: ${warning}`);
  const values = shownSettings(settings);
  const rows = listSettings().map(({ name, variable }) => ({
    name,
    variable,
    value: values[name] ?? null,
    origin: origins[name] ?? "default",
  }));
  if (flags.json) return output.json(rows);
  output.table(
    ["variable", "value", "from"],
    rows.map(({ variable, value, origin }) => [variable, text(value), origin]),
  );
}

function text(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
