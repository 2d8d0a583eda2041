import assert from "node:assert/strict";
import { lruTouch } from "../../src/async/lru.ts";

Deno.test("lruTouch() deletes the least recently used entry when there are too many", () => {
  const map = new Map<string, number>();
  lruTouch(map, ["a", 1], 2);
  lruTouch(map, ["b", 2], 2);
  lruTouch(map, ["a", 3], 2);
  lruTouch(map, ["c", 4], 2);
  assert.deepEqual([...map], [["a", 3], ["c", 4]]);
});
