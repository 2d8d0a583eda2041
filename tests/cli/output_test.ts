import assert from "node:assert/strict";
import { tableText } from "../../src/cli/output.ts";

Deno.test("tableText() breaks the last column between words where the terminal ends, and only that", () => {
  const row = ["first-cell-is-whole", "one two three four five six seven"];
  const lines = tableText(["A", "B"], [row], 45).split("\n");
  assert.deepEqual(lines, [
    "A                    B",
    "first-cell-is-whole  one two three four five",
    "                     six seven",
  ]);
  const [, whole] = tableText(["A", "B"], [row]).split("\n");
  assert.equal(whole, row.join("  "));
});
