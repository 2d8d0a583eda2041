import assert from "node:assert/strict";
import fc from "fast-check";
import { parseMemory, proxySchema } from "../../src/core/browser_spec.ts";

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

Deno.test("parseMemory() refuses what is no amount or not within 64M and 1T", () => {
  for (
    const text of ["", "G", "-1G", "2 gigs", "1e9", "63M", "2T", "NaN", "2GG"]
  ) {
    assert.equal(parseMemory(text), undefined, text);
  }
});

Deno.test("parseMemory() gives whole bytes within its limits or nothing, for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const bytes = parseMemory(text);
    return bytes === undefined ||
      (Number.isInteger(bytes) && bytes >= 2 ** 26 && bytes <= 2 ** 40);
  }));
});

Deno.test("proxySchema refuses credentials in the URL, whose place would be shown in answers", () => {
  assert.ok(
    !proxySchema.safeParse({ proxy_url: "http://u:p@proxy:3128" }).success,
  );
  assert.ok(proxySchema.safeParse({ proxy_url: "http://proxy:3128" }).success);
});
