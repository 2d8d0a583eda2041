import assert from "node:assert/strict";
import { findNearest, suggestNearest } from "../../src/core/nearest.ts";

Deno.test("findNearest() returns only names that differ in at most two letters", () => {
  const known = ["serve", "session", "settings", "pool", "key"];
  const cases: Record<string, string | undefined> = {
    sesion: "session",
    sessoin: "session",
    Pool: "pool",
    polo: "pool",
    pol: "pool",
    kye: undefined,
    kee: "key",
    sessssion: "session",
    sesssssion: undefined,
    launch: undefined,
    "": undefined,
    ["x".repeat(1_000_000)]: undefined,
  };
  for (const [name, found] of Object.entries(cases)) {
    assert.equal(findNearest(name, known), found, name.slice(0, 20));
  }
  assert.equal(suggestNearest("pol", known), ', did you mean "pool"?');
  assert.equal(suggestNearest("launch", known), "");
});
