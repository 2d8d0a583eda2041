import assert from "node:assert/strict";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { pluginApi } from "../../src/plugin/plugin.ts";
import { ROOT } from "../support/doc_snippets.ts";

Deno.test("the documentation has the reason of every dependency", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/dependencies.md"));
  const names = Object.keys(config.imports).filter((name) =>
    !name.startsWith("@types/")
  );
  for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
});

Deno.test("the documentation names everything that a plugin receives", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/plugins.md"));
  for (const name of Object.keys(pluginApi)) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
});
