import { z } from "zod";
import { listSettings, type SettingRow } from "../../core/settings.ts";
import { type CommonOptions, explainSettings } from "../config.ts";
import { defineOptions, flag, text } from "../options/option_types.ts";
import type { Output } from "../output.ts";
import { redactSettings } from "../redact_settings.ts";

const HEAD = ["variable", "type", "default", "what"];

/** Declares the options of `browsergrid settings`. */
export const settingsOptions = defineOptions(() =>
  z.object({
    values: flag(
      "--values",
      "list the values in force here, and their origin",
    ),
    markdown: flag("--markdown", "print the table as Markdown"),
    config: text("--config <file>", "configuration file (browsergrid.json)"),
    json: flag("--json", "print JSON"),
  })
);

/** Parsed options of `browsergrid settings`. */
export interface SettingsOptions extends CommonOptions {
  readonly values?: boolean | undefined;
  readonly markdown?: boolean | undefined;
}

/** Prints every setting, or the values in force here. */
export async function printSettings(
  { values, json, markdown, config }: SettingsOptions,
  output: Output,
): Promise<void> {
  if (values) return await showValues({ config, json }, output);
  const rows = listSettings();
  if (json) return output.json(rows);
  if (markdown) return output.print(settingsMarkdown());
  await output.table(HEAD, rows.map(toCells));
}

function toCells(row: SettingRow): readonly string[] {
  return [row.variable, row.type, row.default, row.description];
}

/** Renders the table of all settings for the documentation, as `deno fmt` formats it. */
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
  const renderLine = (cells: readonly string[], fill = " ") =>
    `| ${
      widths.map((width, at) => (cells[at] ?? "").padEnd(width, fill)).join(
        " | ",
      )
    } |`;
  return [
    renderLine(HEAD),
    renderLine([], "-"),
    ...rows.map((row) => renderLine(row)),
  ].join(
    "\n",
  );
}

async function showValues(
  options: CommonOptions,
  output: Output,
): Promise<void> {
  const { settings, origins, warnings } = await explainSettings({}, options);
  for (const warning of warnings) output.error(`warning: ${warning}`);
  const values = redactSettings(settings);
  const rows = listSettings().map(({ name, variable }) => ({
    name,
    variable,
    value: values[name] ?? null,
    origin: origins[name] ?? "default",
  }));
  if (options.json) return output.json(rows);
  await output.table(
    ["variable", "value", "from"],
    rows.map((
      { variable, value, origin },
    ) => [variable, renderValue(value), origin]),
  );
}

function renderValue(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
