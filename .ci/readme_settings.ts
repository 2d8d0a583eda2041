/** Writes the table of settings into README.md, in place of the one that is there. Run by `deno task readme`. */
import { settingsMarkdown } from "../src/cli/settings_command.ts";

const README = new URL("../README.md", import.meta.url);

/** A table whose first column is of variables, up to its last line. */
const TABLE = /^\| variable .*\n(?:\|.*\n)+/m;

const text = await Deno.readTextFile(README);
if (!TABLE.test(text)) {
  throw new Error(
    'Cannot write the settings: README.md has no table that begins with "| variable"',
  );
}
await Deno.writeTextFile(
  README,
  text.replace(TABLE, () => `${settingsMarkdown()}\n`),
);
