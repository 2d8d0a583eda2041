import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Ingress } from "../../../src/http/server/ingress.ts";
import { createFakeClock } from "../../support/clock.ts";

/** An ingress whose requests each take 1 ms of the clock. */
function createScene() {
  const clock = createFakeClock();
  const state = { isBusy: false };
  const started: number[] = [];
  const ingress = new Ingress({ clock, isBusy: () => state.isBusy });
  /** Lets a request enter that records its number when it is started. */
  function enter(number: number, { isUrgent = false, ms = 1 } = {}): void {
    ingress.enter(() => {
      started.push(number);
      clock.advance(ms);
    }, () => isUrgent);
  }
  /** Resolves when nothing waits. */
  async function empty(): Promise<void> {
    while (ingress.expectedWaitMs > 0) await setImmediate();
    await setImmediate();
  }
  return { clock, empty, enter, ingress, started, state };
}

/** Numbers from 0 to `count`, exclusive. */
function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

Deno.test("a request is started at once while the turn has time", () => {
  const { enter, ingress, started } = createScene();
  for (const each of range(10)) enter(each);
  assert.deepEqual(started, range(10));
  assert.equal(ingress.expectedWaitMs, 0);
});

Deno.test("requests beyond the time of a turn wait, and are started later in order of arrival", async () => {
  const { empty, enter, ingress, started } = createScene();
  for (const each of range(100)) enter(each);
  assert.deepEqual(started, range(10));
  assert.equal(Math.round(ingress.expectedWaitMs), 90);
  await empty();
  enter(100);
  assert.deepEqual(started, range(101));
});

Deno.test("the next turn has its own time", async () => {
  const { enter, started } = createScene();
  for (const each of range(10)) enter(each);
  await setImmediate();
  for (const each of range(10)) enter(10 + each);
  assert.deepEqual(started, range(20));
});

Deno.test("no request is started while the started ones suffice, and all are once they do not", async () => {
  const { empty, enter, started, state } = createScene();
  state.isBusy = true;
  for (const each of range(3)) enter(each);
  for (const _ of range(20)) await setImmediate();
  assert.deepEqual(started, []);
  state.isBusy = false;
  await empty();
  assert.deepEqual(started, range(3));
});

Deno.test("an urgent request is started before those that wait, as long as its turn has time", async () => {
  const { empty, enter, started, state } = createScene();
  state.isBusy = true;
  enter(1);
  enter(2, { isUrgent: true, ms: 10 });
  assert.deepEqual(started, [2]);
  enter(3, { isUrgent: true });
  assert.deepEqual(started, [2]);
  state.isBusy = false;
  await empty();
  assert.deepEqual(started, [2, 1, 3]);
});

Deno.test("the expected wait follows the rate at which waiting requests are started", async () => {
  const { empty, enter, ingress, state } = createScene();
  state.isBusy = true;
  for (const each of range(1_000)) enter(each, { ms: 5 });
  state.isBusy = false;
  await empty();
  state.isBusy = true;
  for (const each of range(100)) enter(each);
  assert.ok(Math.abs(ingress.expectedWaitMs - 500) < 25);
  state.isBusy = false;
  await empty();
});

Deno.test("the queue is full from 1,500 waiting requests on, and takes more: their clients have sent them", async () => {
  const { empty, enter, ingress, started, state } = createScene();
  state.isBusy = true;
  for (const each of range(1_499)) enter(each);
  assert.ok(!ingress.isFull);
  enter(1_499);
  assert.ok(ingress.isFull);
  enter(1_500);
  state.isBusy = false;
  await empty();
  assert.deepEqual(started, range(1_501));
});

Deno.test("a queue that stands for half a second is full with 200 requests, a burst is not", async () => {
  const { clock, empty, enter, ingress, state } = createScene();
  state.isBusy = true;
  for (const each of range(300)) enter(each);
  assert.ok(!ingress.isFull);
  clock.advance(501);
  assert.ok(ingress.isFull);
  state.isBusy = false;
  await empty();
  assert.ok(!ingress.isFull);
  state.isBusy = true;
  for (const each of range(300)) enter(each);
  assert.ok(!ingress.isFull);
  state.isBusy = false;
  await empty();
});
