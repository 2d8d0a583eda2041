import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { type Clock, systemClock } from "../../src/async/clock.ts";
import {
  RetryQueue,
  type RetryQueueOptions,
} from "../../src/db/retry_queue.ts";
import { createFakeClock, type FakeClock } from "../support/clock.ts";

class Locked extends Error {}
class Rejected extends Error {}

const WAIT_MS = 5_000;

function createQueue(
  clock: Clock,
  options: Partial<RetryQueueOptions> = {},
): RetryQueue {
  return new RetryQueue({
    clock,
    concurrency: 1,
    waitMs: WAIT_MS,
    maxWaiting: 1_000,
    isPassing: (error) => error instanceof Locked,
    createRejection: () => new Rejected(),
    ...options,
  });
}

/** Runs everything that does not wait for time. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let each = 0; each < ms; each++) {
    clock.advance(1);
    await settle();
  }
}

interface Scene {
  /** Arrival of each caller after the start, and duration of its work. */
  readonly callers: readonly { readonly at: number; readonly work: number }[];
  /** Times in which every try fails. */
  readonly locks: readonly { readonly from: number; readonly for: number }[];
  readonly places: number;
  readonly maxWaiting: number;
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  callers: fc.array(
    fc.record({ at: fc.nat(200), work: fc.nat(8) }),
    { minLength: 1, maxLength: 30 },
  ).map((callers) => callers.toSorted((a, b) => a.at - b.at)),
  locks: fc.array(
    fc.record({ from: fc.nat(200), for: fc.integer({ min: 1, max: 120 }) }),
    { maxLength: 4 },
  ),
  places: fc.integer({ min: 1, max: 3 }),
  maxWaiting: fc.nat(30),
});

/** Runs a scene to its end; `ends` says when each caller was done, and how. */
async function play({ callers, locks, places, maxWaiting }: Scene) {
  const clock = createFakeClock();
  const waitMs = 60;
  using line = createQueue(clock, { concurrency: places, maxWaiting, waitMs });
  const isLocked = () =>
    locks.some((lock) =>
      clock.monotonic() >= lock.from &&
      clock.monotonic() < lock.from + lock.for
    );
  const first: number[] = [];
  const applied: number[] = [];
  const ends: { readonly at: number; readonly result: unknown }[] = [];
  let inside = 0;
  let most = 0;
  async function attempt(caller: number): Promise<number> {
    most = Math.max(most, ++inside);
    try {
      if (!first.includes(caller)) first.push(caller);
      if (isLocked()) throw new Locked();
      applied.push(caller);
      const { work = 0 } = callers[caller] ?? {};
      if (work > 0) await clock.sleep(work);
      return caller;
    } finally {
      inside--;
    }
  }
  for (let now = 0; now < 1_000; now++) {
    callers.forEach(({ at }, caller) => {
      if (at !== now) return;
      void line.run(() => attempt(caller)).catch((error) => error).then(
        (result) => ends[caller] = { at: clock.monotonic(), result },
      );
    });
    await settle();
    await pass(clock, 1);
  }
  return { first, applied, ends, most, waitMs };
}

Deno.test("a RetryQueue runs at most `concurrency` callers at once, in order, each until it succeeds or times out", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const { first, applied, ends, most, waitMs } = await play(scene);
      const allWork = scene.callers.reduce((sum, { work }) => sum + work, 0);
      const isNeverRejected = scene.locks.length === 0 &&
        scene.maxWaiting >= scene.callers.length;
      assert.ok(most <= scene.places);
      assert.deepEqual(first, first.toSorted((a, b) => a - b));
      scene.callers.forEach(({ at }, caller) => {
        const end = ends[caller];
        assert.ok(end, "it waits indefinitely");
        const isDone = end.result === caller;
        assert.ok(isDone || end.result instanceof Error);
        assert.equal(
          applied.filter((each) => each === caller).length,
          isDone ? 1 : 0,
        );
        assert.ok(isDone || !isNeverRejected, "nothing was locked");
        // The work of callers in front does not count, and may begin in a pause of the lock.
        assert.ok(end.at <= at + waitMs + allWork + scene.callers.length * 2);
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("a RetryQueue rejects at once only callers beyond `maxWaiting`", async () => {
  const clock = createFakeClock();
  using line = createQueue(clock, { maxWaiting: 3 });
  let isLocked = true;
  const attempt = () =>
    isLocked ? Promise.reject(new Locked()) : Promise.resolve("done");
  const outcomes = Array.from({ length: 10 }, () => line.run(attempt));
  const rejected = await Promise.allSettled(outcomes.slice(4));
  assert.ok(
    rejected.every((each) =>
      each.status === "rejected" && each.reason instanceof Rejected
    ),
  );
  isLocked = false;
  await pass(clock, 50);
  assert.deepEqual(
    await Promise.all(outcomes.slice(0, 4)),
    ["done", "done", "done", "done"],
  );
});

Deno.test("a thousand callers of a locked resource cost little more than one, and all succeed after the unlock", async () => {
  const clock = createFakeClock();
  using line = createQueue(clock, { random: () => 0 });
  let tries = 0;
  let isLocked = true;
  const attempt = () => {
    tries++;
    return isLocked ? Promise.reject(new Locked()) : Promise.resolve("done");
  };
  const outcomes = Array.from({ length: 1_000 }, () => line.run(attempt));
  await pass(clock, WAIT_MS - 100);
  // Half of the longest pause, 5 ms, is the shortest that a jitter can make of it.
  assert.ok(tries <= WAIT_MS / 5, `${tries} tries`);
  isLocked = false;
  await pass(clock, 50);
  assert.deepEqual(new Set(await Promise.all(outcomes)), new Set(["done"]));
});

Deno.test("a thousand callers of a resource that stays locked time out together", async () => {
  const clock = createFakeClock();
  using line = createQueue(clock);
  let tries = 0;
  const attempt = () => {
    tries++;
    return Promise.reject(new Locked());
  };
  const outcomes = Promise.allSettled(
    Array.from({ length: 1_000 }, () => line.run(attempt)),
  );
  await pass(clock, WAIT_MS + 1);
  const results = await outcomes;
  assert.ok(results.every(({ status }) => status === "rejected"));
  assert.ok(tries < 1_100, `${tries} tries`);
});

Deno.test("a RetryQueue does not retry after another failure", async () => {
  using line = createQueue(createFakeClock());
  let tries = 0;
  await assert.rejects(
    line.run(() => {
      tries++;
      return Promise.reject(new TypeError("wrong"));
    }),
    TypeError,
  );
  assert.equal(tries, 1);
});

Deno.test("a disposed RetryQueue keeps no caller waiting", async () => {
  const clock = createFakeClock();
  const line = createQueue(clock);
  const outcomes = Promise.allSettled(
    Array.from(
      { length: 5 },
      () => line.run(() => Promise.reject(new Locked())),
    ),
  );
  await settle();
  line[Symbol.dispose]();
  assert.ok((await outcomes).every(({ status }) => status === "rejected"));
});

Deno.test("callers in a row yield to timers and sockets", async () => {
  using line = createQueue(systemClock);
  const order: string[] = [];
  const blocking = () => {
    const end = systemClock.monotonic() + 4;
    while (systemClock.monotonic() < end);
    order.push("caller");
    return Promise.resolve();
  };
  const timer = systemClock.sleep(0).then(() => order.push("timer"));
  await Promise.all([
    timer,
    ...Array.from({ length: 20 }, () => line.run(blocking)),
  ]);
  assert.notEqual(order.at(-1), "timer", order.join(" "));
});

Deno.test("callers with several places do not yield: one begins as soon as another ends", async () => {
  using line = createQueue(systemClock, { concurrency: 2 });
  const response = Promise.withResolvers<string>();
  const callers = [
    line.run(() => response.promise),
    line.run(() => response.promise),
  ];
  let hasBegun = false;
  callers.push(line.run(() => {
    hasBegun = true;
    return response.promise;
  }));
  // Callers in a row would yield after this time.
  const end = systemClock.monotonic() + 15;
  while (systemClock.monotonic() < end);
  response.resolve("done");
  await settle();
  assert.ok(hasBegun);
  await Promise.all(callers);
});

Deno.test("a RetryQueue does not count the work of callers in front: no caller is rejected while nothing is locked", async () => {
  const clock = createFakeClock();
  using line = createQueue(clock);
  const work = async () => {
    await clock.sleep(100);
    return "done";
  };
  const outcomes = Promise.all(
    Array.from({ length: 80 }, () => line.run(work)),
  );
  await pass(clock, 80 * 102);
  assert.deepEqual(new Set(await outcomes), new Set(["done"]));
});

Deno.test("a RetryQueue does not count a pause of the process: a paused caller retries before it times out", async () => {
  const clock = createFakeClock();
  using line = createQueue(clock);
  let isLocked = true;
  const attempt = () =>
    isLocked ? Promise.reject(new Locked()) : Promise.resolve("done");
  const outcomes = Promise.all(
    Array.from({ length: 300 }, () => line.run(attempt)),
  );
  await pass(clock, 1_000);
  clock.advance(6_500);
  await settle();
  await pass(clock, 1_000);
  isLocked = false;
  await pass(clock, 50);
  assert.deepEqual(new Set(await outcomes), new Set(["done"]));
});

Deno.test("a thousand callers of a hanging and then failing server are rejected at their timeout, not one after the other", async () => {
  const clock = createFakeClock();
  using line = createQueue(clock, { concurrency: 8 });
  let tries = 0;
  const hang = async () => {
    tries++;
    await clock.sleep(2_000);
    throw new TypeError("no answer");
  };
  const outcomes = Promise.allSettled(
    Array.from({ length: 1_000 }, () => line.run(hang)),
  );
  await pass(clock, 6_100);
  const results = await outcomes;
  assert.ok(results.every(({ status }) => status === "rejected"));
  assert.ok(tries <= 3 * 8, `${tries} tries`);
});

Deno.test("the expected wait is 0 while places are free, then 1 ms for each waiting caller, then at the rate of those that ended", async () => {
  const clock = createFakeClock();
  using queue = createQueue(clock, { concurrency: 2 });
  const work = () => clock.sleep(100);
  const callers = Array.from({ length: 2 }, () => queue.run(work));
  assert.equal(queue.expectedWaitMs, 0);
  for (let count = 0; count < 1_000; count++) callers.push(queue.run(work));
  await settle();
  assert.equal(Math.round(queue.expectedWaitMs), 1_000);
  await pass(clock, 40_000);
  const waiting = 1_000 - 2 * 400;
  // Two end every 100 ms.
  assert.ok(Math.abs(queue.expectedWaitMs - waiting * 50) < 100);
  await pass(clock, 11_000);
  await Promise.all(callers);
  assert.equal(queue.expectedWaitMs, 0);
});

Deno.test("a pause of the whole process counts little in the expected wait", async () => {
  const clock = createFakeClock();
  using queue = createQueue(clock);
  const callers = Array.from(
    { length: 200 },
    () => queue.run(() => clock.sleep(1)),
  );
  await settle();
  await pass(clock, 100);
  const before = queue.expectedWaitMs;
  clock.advance(60_000);
  await settle();
  assert.ok(queue.expectedWaitMs < before + 100 * 2);
  await pass(clock, 200);
  await Promise.all(callers);
});
