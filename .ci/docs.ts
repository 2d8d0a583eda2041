/** Writes the table of settings into docs/settings.md, in place of the one that is there. Run by `deno task docs`. */
import { settingsMarkdown } from "../src/cli/settings_command.ts";

const PAGE = new URL("../docs/settings.md", import.meta.url);

/** A table whose first column is of variables, up to its last line. */
const TABLE = /^\| variable .*\n(?:\|.*\n)+/m;

const text = await Deno.readTextFile(PAGE);
if (!TABLE.test(text)) {
  throw new Error(
    'Cannot write the settings: docs/settings.md has no table that begins with "| variable"',
  );
}
await Deno.writeTextFile(
  PAGE,
  text.replace(TABLE, () => `${settingsMarkdown()}\n`),
);
