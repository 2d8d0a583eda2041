import assert from "node:assert/strict";
import fc from "fast-check";
import { parseMemory } from "../../src/core/schema.ts";

Deno.test("parseMemory() reads amounts in powers of 1024", () => {
  const cases = {
    "2G": 2 ** 31,
    "512m": 2 ** 29,
    "1.5Gi": 1.5 * 2 ** 30,
    "64MB": 2 ** 26,
    "134217728": 2 ** 27,
  };
  for (const [text, bytes] of Object.entries(cases)) {
    assert.equal(parseMemory(text), bytes, text);
  }
});

Deno.test("parseMemory() rejects text that is no amount, and amounts outside of 64M to 1T", () => {
  for (
    const text of ["", "G", "-1G", "2 gigs", "1e9", "63M", "2T", "NaN", "2GG"]
  ) {
    assert.equal(parseMemory(text), undefined, text);
  }
});

Deno.test("parseMemory() returns whole bytes within its limits or undefined for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const bytes = parseMemory(text);
    return bytes === undefined ||
      (Number.isInteger(bytes) && bytes >= 2 ** 26 && bytes <= 2 ** 40);
  }));
});
