import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";
import { runWithInput } from "../../support/run_with_input.ts";
import { isUnfinished } from "../../../src/cli/shell/code.ts";
import { ShellScope } from "../../../src/cli/shell/scope.ts";

Deno.test("shell --eval runs code with settings, database and API client", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url, "--data-dir", grid.dataDir, "--json"];
  const evaluate = async (code: string) => {
    const { out, err } = await cli("shell", "--eval", code, ...at);
    return err === "" ? JSON.parse(out) : err;
  };
  const made = await evaluate(
    'await api.createPool({ name: "box", provider_type: "local" })',
  );
  assert.equal(made.name, "box");
  assert.deepEqual(
    await evaluate('await db.query("SELECT name FROM work_pools")'),
    [
      { name: "box" },
    ],
  );
  assert.equal(
    await evaluate(
      'await db.execute("UPDATE work_pools SET priority = ?", [4])',
    ),
    1,
  );
  assert.equal(await evaluate("settings.data_dir"), grid.dataDir);
});

Deno.test("shell prints no secret, but code can read it", async () => {
  const at = ["--api-key", "top-secret-key"];
  for (const flags of [[], ["--json"]]) {
    const { out } = await cli("shell", "--eval", "settings", ...flags, ...at);
    assert.match(out, /api_key.*not shown/);
    assert.doesNotMatch(out, /top-secret/);
  }
  const { out } = await cli(
    "shell",
    "--eval",
    "settings.api_key.length",
    ...at,
  );
  assert.equal(out, "14");
});

Deno.test("shell runs a script from a pipe, prints its last value, and ends with 1 if it throws", async () => {
  const script = `const double = async (n) => n * 2;
let total = 0;
for (const n of [1, 2]) total += await double(n);
total`;
  const good = await runWithInput(["shell"], script);
  assert.deepEqual([good.code, good.stdout], [0, "6\n"], good.stderr);
  const bad = await runWithInput(["shell"], "1;\nnothing.there");
  assert.deepEqual([bad.code, bad.stdout], [1, ""]);
  assert.match(bad.stderr, /^error: nothing is not defined\n$/);
  const thrown = await cli("shell", "--eval", "throw { a: 1 }");
  assert.deepEqual([thrown.code, thrown.err], [1, "error: { a: 1 }"]);
});

Deno.test("ShellScope keeps declarations for the next piece, and does not change the globals", async () => {
  const scope = new ShellScope({ given: 5 });
  const pieces: readonly [string, unknown][] = [
    ["const a = 1, [b, { c }] = [2, { c: await 3 }]; let d", undefined],
    ["[a, b, c, d, given]", [1, 2, 3, undefined, 5]],
    [
      "function f(n) { return n + a }\nclass K { get x() { return f(1) } }",
      undefined,
    ],
    ["new K().x", 2],
    ["f(f(1)) // a comment", 3],
    ["({ a })", { a: 1 }],
    ["undeclared = 9", 9],
    ["const p = (1, 2), q = ((3)); [p, q]", [2, 3]],
    ["if (a) { const inner = 1 }", undefined],
    ["typeof URL", "function"],
    ["`text ${await Promise.resolve(a)}`", "text 1"],
    ["(await import('node:path')).basename('/x/y')", "y"],
    ["let n = 1\nn + 1\nconst m = 3\nm", 3],
    ["class L {}\n[n, m].map(String)\nnew L() instanceof L", true],
    ["", undefined],
  ];
  for (const [code, value] of pieces) {
    assert.deepEqual(await scope.evaluate(code), value, code);
  }
  assert.ok(!("undeclared" in globalThis) && !("f" in globalThis));
  await assert.rejects(scope.evaluate("inner"), /inner is not defined/);
  await assert.rejects(scope.evaluate("1 +* 2"), SyntaxError);
});

Deno.test("isUnfinished() distinguishes code that another line may complete from wrong code", async () => {
  const scope = new ShellScope({});
  const cases: readonly [string, boolean][] = [
    ["function f() {\n", true],
    ["[1,\n", true],
    ["`a\n", true],
    ["/* a\n", true],
    ["1 +\n", true],
    ["a b\n", false],
    [")\n", false],
    ["nothing\n", false],
  ];
  for (const [code, expected] of cases) {
    const error = await scope.evaluate(code).catch((reason) => reason);
    assert.equal(isUnfinished(error, code), expected, code);
  }
});

Deno.test("ShellScope completes names and members without calling a getter", async () => {
  let reads = 0;
  const lazy = {
    get secret() {
      reads++;
      return { inner: 1 };
    },
    plain: { deep: 1 },
  };
  const scope = new ShellScope({ lazy, lane: 1 });
  await scope.evaluate("const later = 1");
  assert.deepEqual(scope.complete("la"), ["lazy", "lane", "later"]);
  assert.deepEqual(scope.complete("lazy."), ["lazy.secret", "lazy.plain"]);
  assert.deepEqual(scope.complete("lazy.plain.d"), ["lazy.plain.deep"]);
  assert.deepEqual(scope.complete("lazy.secret.i"), []);
  assert.deepEqual(scope.complete("nothing.at.all"), []);
  assert.equal(reads, 0);
});
