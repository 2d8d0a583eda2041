import assert from "node:assert/strict";
import { settleWithin } from "../../src/async/settle_within.ts";

Deno.test("settleWithin() resolves when the work is fulfilled or rejected", async () => {
  let isDone = false;
  await settleWithin(Promise.resolve().then(() => isDone = true), 60_000);
  assert(isDone);
  await settleWithin(Promise.reject(new Error("failed")), 60_000);
});

Deno.test("settleWithin() stops waiting after the given time", async () => {
  const work = Promise.withResolvers<void>();
  let isSettled = false;
  void work.promise.then(() => isSettled = true);
  await settleWithin(work.promise, 5);
  assert(!isSettled);
});
