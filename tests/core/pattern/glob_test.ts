import assert from "node:assert/strict";
import fc from "fast-check";
import { compileGlob } from "../../../src/core/pattern/glob.ts";

Deno.test("a glob matches whole texts, and its stars any text", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["a", "a", true],
    ["a", "ab", false],
    ["a*", "ab", true],
    ["*a", "ba", true],
    ["*a", "ab", false],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["*b*c*", "abxxcd", true],
    ["*c*b*", "abxxcd", false],
    ["*", "", true],
    ["https://*.example/*", "https://a.example/b", true],
    ["*aab*", "aaaab", true],
    ["?", "a", false],
    [".*", "ab", false],
  ];
  for (const [glob, text, matches] of cases) {
    assert.equal(compileGlob(glob)(text), matches, `${glob} ${text}`);
  }
});

Deno.test("a glob matches the same texts as its regular expression", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
  const glob = fc.string({
    unit: fc.constantFrom("a", "b", "*"),
    maxLength: 8,
  });
  fc.assert(fc.property(glob, text, (glob, text) => {
    const rule = new RegExp(`^${glob.replaceAll("*", ".*")}$`);
    assert.equal(compileGlob(glob)(text), rule.test(text));
  }));
});

Deno.test("the steps of a glob grow with the length of the text, not with its product with the glob's", () => {
  const matches = compileGlob(`*${`${"a".repeat(90)}b*`.repeat(2)}`);
  const measure = (length: number) => {
    const text = "a".repeat(length);
    const startedAt = performance.now();
    assert.ok(!matches(text));
    return performance.now() - startedAt;
  };
  measure(1_000_000);
  // A search that begins anew at each character takes 90 times as long.
  assert.ok(measure(2_000_000) < 1_000);
});
