import assert from "node:assert/strict";
import { parseQuantity } from "../../../src/providers/kubernetes/pod/stats.ts";

Deno.test("parseQuantity() reads the amounts of a metrics server, and no others", () => {
  assert.equal(parseQuantity("250m"), 0.25);
  assert.equal(parseQuantity("1.5"), 1.5);
  assert.equal(parseQuantity("128Ki"), 131_072);
  assert.equal(parseQuantity("2Gi"), 2 ** 31);
  assert.equal(parseQuantity("500000000n"), 0.5);
  for (const text of ["", "Ki", "-1", "1 Ki", "1Qi", "1e3", "x"]) {
    assert.equal(parseQuantity(text), undefined, text);
  }
});
