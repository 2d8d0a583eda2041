import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";

const PAGE = new URL("../../docs/settings.md", import.meta.url);

Deno.test("the documentation's table of settings is what settings --markdown prints", async () => {
  const { out } = await cli("settings", "--markdown");
  const page = await Deno.readTextFile(PAGE);
  assert.ok(
    page.includes(`\n${out}\n`),
    'docs/settings.md is out of date: run "deno task docs"',
  );
});
