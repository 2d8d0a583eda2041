import assert from "node:assert/strict";
import { allSettled } from "../../src/async/all_settled.ts";

Deno.test("allSettled() runs the work for every item although one fails, and rejects with that error", async () => {
  const done: number[] = [];
  const failure = new Error("two failed");
  await assert.rejects(
    allSettled([1, 2, 3], async (item) => {
      await Promise.resolve();
      if (item === 2) throw failure;
      done.push(item);
    }),
    (error) => error === failure,
  );
  assert.deepEqual(done, [1, 3]);
});

Deno.test("allSettled() joins the messages of several failures", async () => {
  await assert.rejects(
    allSettled(["a", "b"], (item) => Promise.reject(new Error(`no ${item}`))),
    { name: "AggregateError", message: "no a; no b" },
  );
});

Deno.test("allSettled() of no items resolves", async () => {
  await allSettled([], () => Promise.reject(new Error("never called")));
});
