import assert from "node:assert/strict";
import { isUnfinished, toAsyncBody } from "../../../src/cli/shell/code.ts";

Deno.test("toAsyncBody() returns the last expression, and keeps its comment", () => {
  assert.equal(toAsyncBody("1 + 1"), "return (1 + 1);");
  assert.equal(toAsyncBody("a; b // end"), "a; return (b); // end");
  assert.equal(toAsyncBody("if (a) b"), "if (a) b");
  assert.equal(toAsyncBody(""), "");
});

Deno.test("toAsyncBody() makes top-level declarations assignments, so that the next piece can use them", () => {
  const cases = [
    ["const a = 1", ";(a = 1);"],
    ["let a", ";(a = undefined);"],
    ["var { a, b: [c] } = d, e = f", ";({ a, b: [c] } = d), (e = f);"],
    ["class A {}", "A = class A {};"],
    ["function f() {}", '__keep("f", f);function f() {}'],
    ["if (a) { const b = 1 }", "if (a) { const b = 1 }"],
  ] as const;
  for (const [code, body] of cases) assert.equal(toAsyncBody(code), body);
});

Deno.test("toAsyncBody() rejects code with an error that has its position", () => {
  assert.throws(() => toAsyncBody("1 +* 2"), SyntaxError);
  assert.throws(() => toAsyncBody("import a from 'a'"), SyntaxError);
});

Deno.test("isUnfinished() accepts only errors at the end of the code", () => {
  const parseError = (code: string): unknown => {
    try {
      return toAsyncBody(code);
    } catch (error) {
      return error;
    }
  };
  const unfinished = ["(", "{ a:\n", "`text", "async () => {", "/* note"];
  for (const code of unfinished) {
    assert.ok(isUnfinished(parseError(code), code), code);
  }
  for (const code of ["a b", "}", "let 1"]) {
    assert.ok(!isUnfinished(parseError(code), code), code);
  }
  assert.ok(!isUnfinished(new Error("Not of the parser"), "("));
});
