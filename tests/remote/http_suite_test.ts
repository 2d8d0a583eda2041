import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { oneModule } from "../support/one_module.ts";

/** Rooms whose tests ask a real grid for what the API does. */
const ROOMS = ["apps", "core", "gateway", "reconciler"];

/** Import of a test that sends requests to a grid. */
const GRID = /from ".*\/(support\/grid|scene)\.ts"/;

/** The files of tests below `folder` that ask a grid. */
async function* listTests(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* listTests(url);
    else if (name.endsWith("_test.ts")) {
      if (GRID.test(await Deno.readTextFile(url))) yield fileURLToPath(url);
    }
  }
}

Deno.test("every test of the HTTP API passes over a remote database too", async () => {
  const tests = new URL("../", import.meta.url);
  const files: string[] = [];
  for await (const { name } of Deno.readDir(tests)) {
    if (!ROOMS.includes(name)) continue;
    files.push(...await Array.fromAsync(listTests(new URL(`${name}/`, tests))));
  }
  await using module = await oneModule(files.sort());
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--quiet", "--no-check", "-A", module.path],
      ...["--config", fileURLToPath(new URL("../deno.json", tests))],
    ],
    env: { TEST_DATABASE: "remote", NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.ok(success, `${text(stdout)}\n${text(stderr)}`);
  // Nothing was found is not: nothing failed.
  const passed = /(\d+) passed/.exec(text(stdout))?.[1];
  assert.ok(Number(passed) > 100, `${passed} passed`);
});
