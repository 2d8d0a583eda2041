import assert from "node:assert/strict";
import { compareSupport } from "../../../src/core/version/version_support.ts";

Deno.test("compareSupport() supports the same minor version, the one before and the one after", () => {
  const expected = [
    ["1.4.0", "1.4.9", "supported"],
    ["1.3.7", "1.4.0", "supported"],
    ["1.5.0", "1.4.0", "supported"],
    ["1.4.0-dev", "1.5.0", "supported"],
    ["1.2.9", "1.4.0", "too_old"],
    ["1.6.0", "1.4.0", "too_new"],
    ["1.5.0", "2.1.0", "too_old"],
    ["0.12.3", "1.1.0", "too_old"],
    ["2.1.0", "1.4.0", "too_new"],
    ["3.0.0", "1.4.0", "too_new"],
  ] as const;
  for (const [other, program, support] of expected) {
    assert.equal(
      compareSupport(other, program),
      support,
      `${other} at ${program}`,
    );
  }
});

Deno.test("compareSupport() is unknown for the first version of a major and any version of the major before", () => {
  for (const [a, b] of [["0.2.0", "1.0.0"], ["1.3.0", "2.0.4"]] as const) {
    assert.equal(compareSupport(a, b), "unknown");
    assert.equal(compareSupport(b, a), "unknown");
  }
  assert.equal(compareSupport("0.2.0", "2.0.0"), "too_old");
});

Deno.test("compareSupport() is unknown without a version, or with another text", () => {
  for (const other of [undefined, null, "", "latest", "1", "v1.4.0", "1.4x"]) {
    assert.equal(compareSupport(other, "1.4.0"), "unknown");
  }
  assert.equal(compareSupport("1.4.0", "latest"), "unknown");
});
