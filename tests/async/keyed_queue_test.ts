import assert from "node:assert/strict";
import { KeyedQueue } from "../../src/async/keyed_queue.ts";

Deno.test("KeyedQueue.run() runs one task of a key at a time, in order of arrival, also after a failure", async () => {
  const queue = new KeyedQueue();
  const order: number[] = [];
  let running = 0;
  const run = (each: number) =>
    queue.run("a", async () => {
      assert.equal(++running, 1);
      await Promise.resolve();
      order.push(each);
      running--;
      if (each === 1) throw new Error("first");
      return each;
    });
  const results = await Promise.allSettled([run(1), run(2), run(3)]);
  assert.deepEqual(order, [1, 2, 3]);
  assert.deepEqual(results.map(({ status }) => status), [
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
});

Deno.test("KeyedQueue.run() of another key does not wait, and settled() waits for all keys", async () => {
  const queue = new KeyedQueue();
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended: string[] = [];
  void queue.run("a", async () => {
    await promise;
    ended.push("a");
  });
  await queue.run("b", () => Promise.resolve(ended.push("b")));
  assert.deepEqual(ended, ["b"]);
  resolve();
  await queue.settled();
  assert.deepEqual(ended, ["b", "a"]);
});
