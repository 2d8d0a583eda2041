import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** Whatever asks the API of a real grid, and what runs beside it. */
const SUITE = [
  "apps",
  "core/router_test.ts",
  "core/server_test.ts",
  "gateway",
  "reconciler/reconciler_test.ts",
];

Deno.test("every test of the HTTP API passes over a remote database too", async () => {
  const tests = new URL("../", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--quiet", "--no-check", "-A"],
      ...SUITE.map((path) => fileURLToPath(new URL(path, tests))),
    ],
    env: { TEST_DATABASE: "remote", NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.ok(success, `${text(stdout)}\n${text(stderr)}`);
  // Nothing was found is not: nothing failed.
  const passed = /(\d+) passed/.exec(text(stdout))?.[1];
  assert.ok(Number(passed) > 100, `${passed} passed`);
});
