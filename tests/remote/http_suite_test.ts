import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { oneModule } from "../support/one_module.ts";

/** Folders with tests that send requests to a real grid. */
const FOLDERS = [
  "apps",
  "core",
  "db",
  "gateway",
  "http",
  "middleware",
  "reconciler",
];

/** Number of processes that share the files: most tests mostly wait. */
const PROCESSES = 3;

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

/** Runs the tests of the files with grids on a remote database, and returns the number of passed ones. */
async function runTests(files: readonly string[]): Promise<number> {
  await using module = await oneModule(files);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--quiet", "--no-check", "-A", module.path],
      ...[
        "--config",
        fileURLToPath(new URL("../../deno.json", import.meta.url)),
      ],
    ],
    env: { TEST_DATABASE: "remote", NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.ok(success, `${text(stdout)}\n${text(stderr)}`);
  return Number(/(\d+) passed/.exec(text(stdout))?.[1]);
}

Deno.test("every test of the HTTP API passes over a remote database too", async () => {
  const tests = new URL("../", import.meta.url);
  const files: string[] = [];
  for await (const { name } of Deno.readDir(tests)) {
    if (!FOLDERS.includes(name)) continue;
    files.push(...await Array.fromAsync(listTests(new URL(`${name}/`, tests))));
  }
  files.sort();
  const passed = await Promise.all(
    Array.from(
      { length: PROCESSES },
      (_, part) => runTests(files.filter((_, at) => at % PROCESSES === part)),
    ),
  );
  const total = passed.reduce((sum, each) => sum + each, 0);
  // No failure among no tests would prove nothing.
  assert.ok(total > 100, `${total} passed`);
});
