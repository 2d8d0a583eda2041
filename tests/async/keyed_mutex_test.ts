import assert from "node:assert/strict";
import { KeyedMutex } from "../../src/async/keyed_mutex.ts";

const { signal } = new AbortController();

Deno.test("KeyedMutex.acquire() admits one caller of a key at a time, in order of arrival", async () => {
  const mutex = new KeyedMutex();
  const order: number[] = [];
  let running = 0;
  await Promise.all([1, 2, 3].map(async (each) => {
    using _lock = await mutex.acquire("a", signal);
    assert.equal(++running, 1);
    await Promise.resolve();
    order.push(each);
    running--;
  }));
  assert.deepEqual(order, [1, 2, 3]);
});

Deno.test("KeyedMutex.acquire() of another key does not wait", async () => {
  const mutex = new KeyedMutex();
  using _first = await mutex.acquire("a", signal);
  using _second = await mutex.acquire("b", signal);
});

Deno.test("KeyedMutex.acquire() rejects on abort, and the callers after it are still admitted in order", async () => {
  const mutex = new KeyedMutex();
  const stop = new AbortController();
  const first = await mutex.acquire("a", signal);
  const aborted = mutex.acquire("a", stop.signal);
  const third = mutex.acquire("a", signal);
  let isAdmitted = false;
  void third.then(() => isAdmitted = true);
  stop.abort(new Error("left"));
  await assert.rejects(aborted, /left/);
  assert(!isAdmitted);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
});
