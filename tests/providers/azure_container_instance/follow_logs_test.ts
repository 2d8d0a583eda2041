import assert from "node:assert/strict";
import { findNewLines } from "../../../src/providers/azure_container_instance/session/follow_logs.ts";

Deno.test("findNewLines() returns the lines after the part that two reads share", () => {
  const cases: readonly [seen: string, read: string, expected: string][] = [
    ["", "abc", "abc"],
    ["abc", "abc", ""],
    ["abc", "abcde", "de"],
    ["abcd", "cdef", "ef"],
    ["abc", "xyz", "xyz"],
    ["aaa", "aaaa", "a"],
    ["abc", "", ""],
  ];
  for (const [seen, read, expected] of cases) {
    const found = findNewLines([...seen], [...read]);
    assert.equal(found.join(""), expected, `${seen} ${read}`);
  }
});
