import assert from "node:assert/strict";
import { ConnectionLimiter } from "../../src/gateway/connection_limiter.ts";
import { createFakeClock } from "../support/clock.ts";

const { signal } = new AbortController();
const full = { code: "too_many_connections", status: 429 };

Deno.test("Seats give a session no more places than it has, however many ask at once", async () => {
  const clock = createFakeClock();
  const limiter = new ConnectionLimiter(clock);
  const asked = Array.from(
    { length: 5 },
    () => limiter.acquire("a", { max: 2, signal }),
  );
  const settled = Promise.allSettled(asked);
  using _other = await limiter.acquire("b", { max: 1, signal });
  clock.advance(2_000);
  const taken = (await settled).filter(({ status }) => status === "fulfilled");
  assert.equal(taken.length, 2);
  await assert.rejects(asked[4] ?? Promise.resolve(), full);
});

Deno.test("Seats give a place that is left to who waits longest, once", async () => {
  const clock = createFakeClock();
  const limiter = new ConnectionLimiter(clock);
  const first = await limiter.acquire("a", { max: 1, signal });
  const second = limiter.acquire("a", { max: 1, signal });
  const third = limiter.acquire("a", { max: 1, signal });
  const refused = assert.rejects(third, full);
  clock.advance(1_999);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  using _seat = await second;
  clock.advance(1);
  await refused;
});

Deno.test("Seats refuse who waits no longer, and his place goes to nobody", async () => {
  const limiter = new ConnectionLimiter(createFakeClock());
  const first = await limiter.acquire("a", { max: 1, signal });
  const gone = new AbortController();
  const waiting = limiter.acquire("a", { max: 1, signal: gone.signal });
  gone.abort();
  await assert.rejects(waiting, full);
  first[Symbol.dispose]();
  using _next = await limiter.acquire("a", { max: 1, signal });
});

Deno.test("Seats let a client take over from the oldest; its place is left when the last heir leaves", async () => {
  const clock = createFakeClock();
  const limiter = new ConnectionLimiter(clock);
  const take = (options: { readonly takeover?: boolean } = {}) =>
    limiter.acquire("a", { max: 2, signal, ...options });
  const takeover = true;
  const [first, second] = [await take(), await take()];
  const heir = await take({ takeover });
  assert.deepEqual([first.evicted.aborted, second.evicted.aborted], [
    true,
    false,
  ]);
  let isLeft = false;
  void first.released.then(() => isLeft = true);
  first[Symbol.dispose]();
  const late = assert.rejects(take(), full);
  clock.advance(2_000);
  await late;
  assert.ok(!isLeft, "the heir is there");
  const next = await take({ takeover });
  assert.ok(second.evicted.aborted, "the oldest that is left");
  heir[Symbol.dispose]();
  await first.released;
  next[Symbol.dispose]();
  second[Symbol.dispose]();
  await second.released;
});
