import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { RetryQueue } from "../../src/db/retry_queue.ts";
import { createFakeClock } from "../support/clock.ts";

class Locked extends Error {}

Deno.test("a caller that waited for the lock does not lengthen the expected wait, even if the process was stopped during the lock", async () => {
  const clock = createFakeClock();
  using queue = new RetryQueue({
    clock,
    concurrency: 1,
    waitMs: 5_000,
    maxWaiting: 10,
    isPassing: (error) => error instanceof Locked,
    createRejection: () => new Error("rejected"),
  });
  async function pass(ms: number): Promise<void> {
    for (let each = 0; each < ms; each++) {
      clock.advance(1);
      await setImmediate();
    }
  }
  let isLocked = true;
  const call = () =>
    queue.run(() => isLocked ? Promise.reject(new Locked()) : clock.sleep(1));
  const calls = [call(), call(), call()];
  await pass(5);
  clock.advance(3_000);
  isLocked = false;
  await pass(20);
  await Promise.all(calls);
  const waiting = [call(), call(), call()];
  assert.ok(queue.expectedWaitMs < 50, `${queue.expectedWaitMs} ms`);
  await pass(20);
  await Promise.all(waiting);
});

Deno.test("a burst after a start is not taken for overload, although the process stops several times while it is served", async () => {
  const clock = createFakeClock();
  using queue = new RetryQueue({
    clock,
    concurrency: 1,
    waitMs: 5_000,
    maxWaiting: 1_000,
    isPassing: () => false,
    createRejection: () => new Error("rejected"),
  });
  const calls = Array.from(
    { length: 400 },
    () => queue.run(() => clock.sleep(1)),
  );
  for (let served = 0; served < 400; served++) {
    clock.advance(served % 50 === 0 ? 60 : 1);
    await setImmediate();
    const waitMs = queue.expectedWaitMs;
    assert.ok(waitMs < 2_000, `${waitMs} ms after ${served} callers`);
  }
  clock.advance(1);
  await Promise.all(calls);
});
