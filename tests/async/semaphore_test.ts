import assert from "node:assert/strict";
import { Semaphore } from "../../src/async/semaphore.ts";

const { signal } = new AbortController();

Deno.test("Semaphore.acquire() admits at most the given number of callers, in order of arrival", async () => {
  const semaphore = new Semaphore(2);
  const order: number[] = [];
  let running = 0;
  await Promise.all([1, 2, 3, 4].map(async (each) => {
    using _place = await semaphore.acquire(signal);
    assert(++running <= 2);
    order.push(each);
    await Promise.resolve();
    running--;
  }));
  assert.deepEqual(order, [1, 2, 3, 4]);
});

Deno.test("Semaphore.acquire() rejects a waiting caller on abort and admits the next one instead", async () => {
  const semaphore = new Semaphore(1);
  const stop = new AbortController();
  const first = await semaphore.acquire(signal);
  const aborted = semaphore.acquire(stop.signal);
  const third = semaphore.acquire(signal);
  stop.abort(new Error("left"));
  await assert.rejects(aborted, /left/);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
});

Deno.test("Semaphore.acquire() keeps the place of a caller that was admitted in the turn of its abort", async () => {
  const semaphore = new Semaphore(1);
  const stop = new AbortController();
  const first = await semaphore.acquire(signal);
  const second = semaphore.acquire(stop.signal);
  first[Symbol.dispose]();
  stop.abort();
  (await second)[Symbol.dispose]();
  (await semaphore.acquire(signal))[Symbol.dispose]();
});
