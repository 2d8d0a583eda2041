import assert from "node:assert/strict";
import { ConnectionLimiter } from "../../src/gateway/connection_limiter.ts";
import { createFakeClock } from "../support/clock.ts";

const { signal } = new AbortController();
const full = { code: "too_many_connections", status: 429 };

Deno.test("ConnectionLimiter.acquire() admits no more than max clients of a session, however many arrive at once", async () => {
  const clock = createFakeClock();
  const limiter = new ConnectionLimiter(clock);
  const acquiring = Array.from(
    { length: 5 },
    () => limiter.acquire("a", { max: 2, signal }),
  );
  const settled = Promise.allSettled(acquiring);
  using _other = await limiter.acquire("b", { max: 1, signal });
  clock.advance(2_000);
  const taken = (await settled).filter(({ status }) => status === "fulfilled");
  assert.equal(taken.length, 2);
  await assert.rejects(acquiring[4] ?? Promise.resolve(), full);
});

Deno.test("ConnectionLimiter.acquire() gives a free slot to the client that waits longest, once", async () => {
  const clock = createFakeClock();
  const limiter = new ConnectionLimiter(clock);
  const first = await limiter.acquire("a", { max: 1, signal });
  const second = limiter.acquire("a", { max: 1, signal });
  const third = limiter.acquire("a", { max: 1, signal });
  const rejected = assert.rejects(third, full);
  clock.advance(1_999);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  using _slot = await second;
  clock.advance(1);
  await rejected;
});

Deno.test("ConnectionLimiter.acquire() rejects a client that disconnects, which takes no slot", async () => {
  const limiter = new ConnectionLimiter(createFakeClock());
  const first = await limiter.acquire("a", { max: 1, signal });
  const abort = new AbortController();
  const waiting = limiter.acquire("a", { max: 1, signal: abort.signal });
  abort.abort();
  await assert.rejects(waiting, full);
  first[Symbol.dispose]();
  using _next = await limiter.acquire("a", { max: 1, signal });
});

Deno.test("ConnectionLimiter.acquire() with takeover evicts the oldest client; its slot is released by the last successor", async () => {
  const clock = createFakeClock();
  const limiter = new ConnectionLimiter(clock);
  const acquire = (options: { readonly takeover?: boolean } = {}) =>
    limiter.acquire("a", { max: 2, signal, ...options });
  const takeover = true;
  const [first, second] = [await acquire(), await acquire()];
  const successor = await acquire({ takeover });
  assert.deepEqual([first.evicted.aborted, second.evicted.aborted], [
    true,
    false,
  ]);
  let isReleased = false;
  void first.released.then(() => isReleased = true);
  first[Symbol.dispose]();
  const late = assert.rejects(acquire(), full);
  clock.advance(2_000);
  await late;
  assert.ok(!isReleased, "the successor holds the slot");
  const next = await acquire({ takeover });
  assert.ok(second.evicted.aborted, "the oldest remaining client");
  successor[Symbol.dispose]();
  await first.released;
  next[Symbol.dispose]();
  second[Symbol.dispose]();
  await second.released;
});
