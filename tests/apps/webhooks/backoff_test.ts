import assert from "node:assert/strict";
import { backoffMs } from "../../../src/apps/webhooks/delivery/backoff.ts";

Deno.test("pauses grow from 5 s to 24 h, and are up to a fifth shorter at random", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 20].map((attempts) =>
    backoffMs(attempts, () => 0) / 1_000
  );
  assert.deepEqual(
    longest,
    [5, 30, 300, 1_800, 7_200, 28_800, 86_400, 86_400],
  );
  assert.equal(backoffMs(1, () => 1), 4_000);
});
