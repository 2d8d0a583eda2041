import assert from "node:assert/strict";
import { join } from "node:path";
import { CommanderError } from "commander";
import { createContext, takePluginFlags } from "../../src/cli/plugin_option.ts";
import { PROVIDERS } from "../../src/installed_providers.ts";
import { cli } from "../support/cli.ts";
import { silent } from "../support/silent_output.ts";

/** A plugin that adds one provider. */
const PLUGIN = `export default ({ z, defineProvider }) => ({
  name: "extra",
  providers: [defineProvider({
    name: "extra",
    displayName: "Extra",
    description: "Browsers of a test",
    configSchema: z.strictObject({
      zone: z.string().default("here").describe("Zone of the browsers"),
    }),
    browsers: () => [],
    deployCommand: () => "true",
    open: () => Promise.reject(new Error("Not needed")),
  })],
});`;

async function withPlugin(
  act: (path: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const path = join(folder, "extra.mjs");
    await Deno.writeTextFile(path, PLUGIN);
    await act(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("takePluginFlags() takes every --plugin out of the command line and notes the configuration file", () => {
  const cases: readonly [string, readonly string[], string, string?][] = [
    ["--plugin a serve", ["a"], "serve"],
    ["serve --plugin=a --plugin b --port 1", ["a", "b"], "serve --port 1"],
    ["serve --config x.json", [], "serve --config x.json", "x.json"],
    ["serve --config=x.json", [], "serve --config=x.json", "x.json"],
    ["shell -- --plugin a", [], "shell -- --plugin a"],
    ["pool list", [], "pool list"],
  ];
  for (const [line, names, rest, config] of cases) {
    const taken = takePluginFlags(line.split(" "), silent);
    assert.deepEqual(
      { ...taken, rest: taken.rest.join(" ") },
      { rest, names, config },
      line,
    );
  }
});

Deno.test("takePluginFlags() rejects --plugin without a value", () => {
  for (const args of [["--plugin"], ["serve", "--plugin="]]) {
    const errors: string[] = [];
    const output = {
      ...silent,
      error: (line: string) => void errors.push(line),
    };
    assert.throws(() => takePluginFlags(args, output), CommanderError);
    assert.deepEqual(errors, [
      "error: option '--plugin <module>' argument missing",
    ]);
  }
});

Deno.test("createContext() has the built-in providers without plugins, and loads apps on request", async () => {
  const context = await createContext({ names: [], config: undefined }, silent);
  assert.equal(await context.loadProviders(), PROVIDERS);
  assert.deepEqual(
    context.commandProviders,
    PROVIDERS.filter(({ commands = [] }) => commands.length > 0).map((
      { name, displayName },
    ) => ({ name, displayName })),
  );
  const { apps, plugins } = await context.loadInstalled();
  assert.ok(apps.some(({ name }) => name === "sessions"));
  assert.deepEqual(plugins, []);
});

Deno.test("createContext() adds the providers of a plugin that the command line or the configuration file names", () =>
  withPlugin(async (path, folder) => {
    const config = join(folder, "grid.json");
    await Deno.writeTextFile(config, JSON.stringify({ plugins: [path] }));
    for (
      const flags of [{ names: [path], config: undefined }, {
        names: [],
        config,
      }]
    ) {
      const context = await createContext(flags, silent);
      const providers = await context.loadProviders();
      assert.equal(providers.at(-1)?.name, "extra");
      const installed = await context.loadInstalled();
      assert.deepEqual(installed.plugins, ["extra"]);
      assert.equal(await context.loadInstalled(), installed);
    }
  }));

Deno.test("a plugin's provider has a command of pool create, whose options are those of its configuration", () =>
  withPlugin(async (path) => {
    const { out, code } = await cli(
      ...["--plugin", path, "pool", "create", "extra", "--help"],
    );
    assert.equal(code, 0);
    assert.match(out, /Extra: Browsers of a test/);
    assert.match(
      out,
      /--zone <value> +Zone of the browsers \(default: "here"\)/,
    );
    const without = await cli("pool", "create", "extra", "--help");
    assert.doesNotMatch(without.out, /--zone/);
  }));

Deno.test("a plugin that cannot be loaded ends every command with 2", async () => {
  const { code, err } = await cli("--plugin", "./nowhere.ts", "pool", "list");
  assert.equal(code, 2);
  assert.match(err, /^error: Cannot load plugin "\.\/nowhere\.ts"/);
});
