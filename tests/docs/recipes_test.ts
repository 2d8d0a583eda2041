/** Applies the recipes of the documentation to a copy of the sources, and runs them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../support/doc_snippets.ts";
import {
  applyRecipes,
  copyProject,
  insertLines,
  RECIPE_PAGES,
} from "../support/doc_recipe.ts";

/** Tests of all fields, endpoints, settings and commands, which a recipe must not break. */
const NEIGHBOURS = [
  "tests/apps/keys/access_test.ts",
  "tests/apps/sessions/create_test.ts",
  "tests/apps/sessions/stored_fields_test.ts",
  "tests/cli/session/field_options_test.ts",
  "tests/cli/help_test.ts",
  "tests/client/client_test.ts",
];

Deno.test("the documentation's recipes work as written", async (t) => {
  await using copy = await copyProject();
  const created: string[] = [];
  for (const page of RECIPE_PAGES) {
    created.push(...await applyRecipes(page, copy));
  }

  async function run(...args: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [...args],
        cwd: copy.folder,
        env: { NO_COLOR: "1" },
      },
    ).output();
    const text = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    assert.ok(success, `deno ${args.join(" ")}\n${text}`);
    return text;
  }

  await t.step("types, import rules and formatting", async () => {
    await run("check", ...created);
    await run("lint", ...created);
    await run("fmt", "--check", ...created);
  });

  await t.step("the migration", async () => {
    const page = await Deno.readTextFile(join(ROOT, "docs/add-an-app.md"));
    const [, command = ""] = /^deno (task db:.*)$/m.exec(page) ?? [];
    await run(...command.split(" "));
  });

  await t.step("their tests", async () => {
    const tests = created.filter((file) => file.endsWith("_test.ts"));
    // The whole contract runs for the provider of docs/plugins.md, which is the same.
    const filter = "/answers CDP|idempotent|bookmark|server_name|comment|ping/";
    const options = ["--no-check", "-A", "--filter", filter];
    assert.match(await run("test", ...options, ...tests), /^ok \| \d+ passed/m);
  });

  await t.step("the tests that hold every field and endpoint", async () => {
    assert.match(
      await run("test", "--no-check", "-A", ...NEIGHBOURS),
      /^ok \| \d+ passed/m,
    );
  });

  await t.step("the command line", async () => {
    const main = ["run", "-A", "--no-check", "main.ts"];
    assert.match(
      await run(...main, "pool", "create", "command", "--help"),
      /--command/,
    );
    assert.match(
      await run(...main, "session", "create", "--help"),
      /--comment/,
    );
  });
});

Deno.test("insertLines() inserts lines after the line before them", () => {
  const text = "import a\nimport c\nlist [\n  a,\n];";
  assert.equal(
    insertLines(text, "+import b\n import c\n   a,\n+  b,\n"),
    "import a\nimport b\nimport c\nlist [\n  a,\n  b,\n];",
  );
});
