/** Tests of finding, loading and checking plugins, and of adding them to the built-in parts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Installed } from "../../src/cli/command.ts";
import { loadPlugins } from "../../src/cli/plugins.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../../src/installed.ts";

const OBJECT = `
import type { Plugin } from "browsergrid/plugin";
const plugin: Plugin = { name: "plain" };
export const other = 1;
export default plugin;`;

const FUNCTION = `
export default async ({ z, defineMiddleware }) => ({
  name: "made",
  middleware: [defineMiddleware({
    name: "stamp",
    optionsSchema: z.strictObject({}),
    create: () => (_c, next) => next(),
  })],
});`;

/** Creates a folder with files, by their path in it. */
async function createFolder(
  files: Readonly<Record<string, string>>,
): Promise<
  AsyncDisposable & {
    readonly path: string;
    load(...names: readonly string[]): Promise<Installed>;
  }
> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-plugin-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(path, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(path, name), text);
  }
  return {
    path,
    load: (...names) => loadPlugins(names, path),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A module whose default export is `text`. */
const exporting = (text: string) => ({ "p.js": `export default ${text};` });

Deno.test("loadPlugins() takes a path, a file URL and a package in node_modules, in order", async () => {
  await using folder = await createFolder({
    "plain.ts": OBJECT,
    "lib/made.js": FUNCTION,
    "node_modules/packed/package.json": JSON.stringify({
      name: "packed",
      type: "module",
      exports: { import: "./dist/main.js" },
    }),
    "node_modules/packed/dist/main.js": `export default { name: "packed" };`,
  });
  const url = pathToFileURL(join(folder.path, "lib/made.js")).href;
  const { plugins, middleware, apps, providers } = await folder.load(
    "./plain.ts",
    url,
    "packed",
  );
  assert.deepEqual(plugins, ["plain", "made", "packed"]);
  assert.deepEqual(middleware.map(({ name }) => name), [
    ...MIDDLEWARE.map(({ name }) => name),
    "stamp",
  ]);
  assert.deepEqual([apps, providers], [APPS, PROVIDERS]);
  const absolute = await folder.load(join(folder.path, "lib/made.js"));
  assert.deepEqual(absolute.plugins, ["made"]);
  assert.deepEqual((await folder.load("plain.ts")).plugins, ["plain"]);
});

Deno.test("a plugin's file may import other files, node: and npm: modules", async () => {
  await using folder = await createFolder({
    "a.ts": `
      import { join } from "node:path";
      import { NIL } from "npm:uuid@^14.0.3";
      import { suffix } from "./lib/b.ts";
      export default { name: join("a_", suffix(NIL)).replace("/", "") };`,
    "lib/b.ts": `export const suffix = (id: string) => id.slice(0, 2);`,
  });
  assert.deepEqual((await folder.load("./a.ts")).plugins, ["a_00"]);
});

Deno.test("loadPlugins() loads npm: specifiers, and names the expected shape for a module that is not a plugin", async () => {
  await assert.rejects(
    loadPlugins(["npm:uuid@^14.0.3"]),
    /^SettingsError: Cannot use plugin "npm:uuid@\^14\.0\.3": its default export is missing; expected a default export \{ name, apps\?, middleware\?, providers\?, problems\? \}, or a function that returns it$/,
  );
});

for (
  const [what, text, sentence] of [
    [
      "a member with a typing mistake",
      `{ name: "p", provider: [] }`,
      /Unrecognized key: "provider"/,
    ],
    [
      "a provider without open()",
      `({ z }) => ({ name: "p", providers: [{ name: "x", displayName: "X", description: "x", configSchema: z.strictObject({}), browsers() {}, deployCommand() {} }] })`,
      /providers\.0\.open: is missing, expected a function/,
    ],
    [
      "a provider's command without run()",
      `({ z }) => ({ name: "p", providers: [{ name: "x", displayName: "X", description: "x", configSchema: z.object({}), browsers() {}, deployCommand() {}, open() {}, commands: [{ name: "c", description: "c", optionsSchema: z.object({}) }] }] })`,
      /providers\.0\.commands\.0\.run: is missing, expected a function/,
    ],
    [
      "a schema that is none",
      `{ name: "p", middleware: [{ name: "m", optionsSchema: {}, create() {} }] }`,
      /middleware\.0\.optionsSchema: expected a zod object/,
    ],
    [
      "a migrations folder that is no URL",
      `{ name: "p", apps: [{ name: "a", verboseName: "A", setup() {}, migrations: "./sql" }] }`,
      /apps\.0\.migrations: /,
    ],
    [
      "a name that settings could not say",
      `{ name: "My Plugin" }`,
      /name: expected lower-case letters, digits and _/,
    ],
    [
      "a status that is no refusal",
      `{ name: "p", problems: { fine: { status: 200, title: "Fine" } } }`,
      /problems\.fine\.status: /,
    ],
    ["a number", `3`, /expected object, received number/],
  ] as const
) {
  Deno.test(`loadPlugins() refuses ${what} with a sentence`, async () => {
    await using folder = await createFolder(exporting(text));
    await assert.rejects(folder.load("./p.js"), (error: Error) => {
      assert.equal(error.name, "SettingsError");
      assert.match(error.message, /^Cannot use plugin "\.\/p\.js": /);
      assert.match(error.message, sentence);
      assert.match(error.message, /expected a default export/);
      return true;
    });
  });
}

Deno.test("loadPlugins() names the module that was not found or failed", async () => {
  await using folder = await createFolder({
    "broken.js": "export default {",
    "failing.js": `export default () => { throw new Error("no licence"); };`,
  });
  await assert.rejects(
    folder.load("nowhere"),
    /Cannot load plugin "nowhere": no package of this name is in .*node_modules or above, expected a path such as \.\/plugin\.ts/,
  );
  await assert.rejects(
    folder.load("./none.js"),
    /Cannot load plugin "\.\/none\.js": Module not found/,
  );
  await assert.rejects(
    folder.load("./broken.js"),
    /Cannot load plugin "\.\/broken\.js": /,
  );
  await assert.rejects(
    folder.load("./failing.js"),
    /Cannot use plugin "\.\/failing\.js": its function failed: no licence/,
  );
});

Deno.test("loadPlugins() rejects a name or an error code that is taken", async () => {
  const problems = `problems: { odd: { status: 400, title: "Odd" } }`;
  await using folder = await createFolder({
    "docker.js":
      `export default ({ z }) => ({ name: "p", providers: [{ name: "docker", displayName: "X", description: "x", configSchema: z.strictObject({}), browsers() {}, deployCommand() {}, open() {} }] });`,
    "odd.js": `export default { name: "odd", ${problems} };`,
    "odder.js": `export default { name: "odder", ${problems} };`,
    "core.js":
      `export default { name: "core", problems: { internal: { status: 500, title: "x" } } };`,
  });
  await assert.rejects(
    folder.load("./docker.js"),
    /Cannot use plugin "p": Cannot add provider "docker": the name is taken/,
  );
  await assert.rejects(
    folder.load("./odd.js", "./odder.js"),
    /Cannot use plugin "odder": Cannot add code "odd" of "odder": "odd" has it/,
  );
  await assert.rejects(
    folder.load("./core.js"),
    /Cannot add code "internal" of "core": the core has it/,
  );
  await assert.rejects(
    folder.load("./odd.js", "./odd.js"),
    /Cannot add plugin "odd": the name is taken/,
  );
});
