/** `--plugin` and `BROWSERGRID_PLUGINS` on the command line. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";
import { runProgram } from "../support/program.ts";
import { savedPlugin } from "./docs_provider.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const NOTES = fileURLToPath(new URL("./notes_plugin.ts", import.meta.url));

Deno.test("migrate applies the migrations of a plugin's app after the project's, and status shows them, also without it", async () => {
  await using folder = await temporaryFolder();
  const at = ["--data-dir", folder.path, "--json"];
  const up = await cli("migrate", "up", ...at, "--plugin", NOTES);
  assert.equal(up.code, 0, up.err);
  assert.equal(JSON.parse(up.out).applied.at(-1), "notes/0000_notes");
  const names = async (...more: readonly string[]) => {
    const { out } = await cli("migrate", "status", ...at, ...more);
    const rows: { name: string; uninstalled?: true }[] = JSON.parse(out);
    return rows.map(({ name, uninstalled }) => [name, uninstalled]).at(-1);
  };
  assert.deepEqual(await names(`--plugin=${NOTES}`), [
    "notes/0000_notes",
    undefined,
  ]);
  assert.deepEqual(await names(), ["notes/0000_notes", true]);
  const again = await cli("migrate", ...at);
  assert.deepEqual(JSON.parse(again.out).applied, []);
});

Deno.test("pool create has the options of a plugin's provider, with --plugin at any position", async () => {
  await using plugin = await savedPlugin();
  const help = await cli(
    ...["--plugin", plugin.file, "pool", "create", "own_command", "--help"],
  );
  assert.equal(help.code, 0, help.err);
  assert.match(
    help.out,
    /--command <value> +Starts a browser \(default: "chromium"\)/,
  );
  assert.match(help.out, /--plugin <module>/);
  await using grid = await testGrid({ listen: true });
  const made = await cli(
    ...["pool", "create", "own_command", "--name", "x", "--command", "/bin/b"],
    ...["--json", "--api-url", grid.url, "--plugin", plugin.file],
  );
  assert.equal(made.code, 1);
  assert.match(made.err, /unknown_provider/, "the server has no such plugin");
});

Deno.test("check asks a plugin's providers too", async () => {
  await using plugin = await savedPlugin();
  const { out } = await cli(
    ...["check", "--json", "--data-dir", plugin.folder],
    ...["--plugin", plugin.file],
  );
  const { providers } = JSON.parse(out);
  assert.equal(providers.own_command[0].status, "warn");
});

Deno.test("plugins come from the configuration file, the variable and --plugin; the last one wins", async () => {
  await using plugin = await savedPlugin();
  const config = `${plugin.folder}/grid.json`;
  await Deno.writeTextFile(
    config,
    JSON.stringify({ plugins: ["./none.js"], data_dir: plugin.folder }),
  );
  const broken = await cli("migrate", "status", "--config", config);
  assert.notEqual(broken.code, 0);
  assert.match(broken.err, /^error: Cannot load plugin "\.\/none\.js"/);
  assert.equal(broken.err.split("\n").length, 1);
  const good = await cli(
    ...["migrate", "status", "--config", config, "--plugin", NOTES],
  );
  assert.match(good.out, /notes\/0000_notes/);
  for (const value of [JSON.stringify([NOTES]), `${NOTES}, ${plugin.file}`]) {
    const { code, stdout, stderr } = await runProgram(
      ["migrate", "status", "--config", config],
      { BROWSERGRID_PLUGINS: value },
    );
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /notes\/0000_notes/);
  }
});

Deno.test("--plugin without a value is wrong usage", async () => {
  const { code, err } = await cli("settings", "--plugin");
  assert.equal(code, 2);
  assert.match(err, /option '--plugin <module>' argument missing/);
});
