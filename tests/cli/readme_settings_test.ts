import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";

const README = new URL("../../README.md", import.meta.url);

Deno.test("the README's table of settings is what settings --markdown prints", async () => {
  const { out } = await cli("settings", "--markdown");
  const readme = await Deno.readTextFile(README);
  assert.ok(
    readme.includes(`\n${out}\n`),
    'README.md is out of date: run "deno task readme"',
  );
});
