import assert from "node:assert/strict";
import fc from "fast-check";
import { splitSql } from "../../../src/cli/dbshell/split.ts";

Deno.test("splitSql() ends statements at semicolons outside of texts, names and comments", () => {
  const cases: readonly [string, readonly string[], string][] = [
    ["SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"], ""],
    ["SELECT 1", [], "SELECT 1"],
    ["SELECT ';' AS a;", ["SELECT ';' AS a"], ""],
    ["SELECT 'it''s; so';", ["SELECT 'it''s; so'"], ""],
    ['SELECT ";", `;`, [;];', ['SELECT ";", `;`, [;]'], ""],
    ["-- a; b\nSELECT 1;", ["-- a; b\nSELECT 1"], ""],
    ["SELECT 1 /* ; */;", ["SELECT 1 /* ; */"], ""],
    ["SELECT 'a\n", [], "SELECT 'a\n"],
    ["/* a; b", [], "/* a; b"],
    [";;  ;", [], ""],
    ["-- only this\n", [], ""],
  ];
  for (const [text, statements, rest] of cases) {
    assert.deepEqual(splitSql(text), { statements, rest }, text);
  }
});

Deno.test("splitSql() keeps the body of a trigger together", () => {
  const trigger =
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = 1; DELETE FROM c; END";
  assert.deepEqual(splitSql(`${trigger}; SELECT 1;`).statements, [
    trigger,
    "SELECT 1",
  ]);
});

Deno.test("splitSql() finds every statement of any texts and names", () => {
  const text = fc.string().map((value) => `'${value.replaceAll("'", "''")}'`);
  fc.assert(fc.property(fc.array(text), (texts) => {
    const statements = texts.map((each) => `SELECT ${each}`);
    const joined = statements.map((each) => `${each};\n`).join("");
    assert.deepEqual(splitSql(joined), { statements, rest: "" });
  }));
});
