import assert from "node:assert/strict";
import { compareVersions } from "../../../src/core/version/compare_versions.ts";

Deno.test("compareVersions() sorts by major, minor and patch, with a development version before its release", () => {
  const sorted = [
    "latest",
    "0.2.0",
    "0.3.0-dev",
    "0.3.0",
    "0.3.1",
    "0.10.0",
    "1.0.0",
  ];
  assert.deepEqual(sorted.toReversed().sort(compareVersions), sorted);
  assert.equal(compareVersions("1.2.3", "1.2.3"), 0);
});
