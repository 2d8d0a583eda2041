import assert from "node:assert/strict";
import type { BrowserStats } from "../../../src/core/provider.ts";
import type { MeasuredBrowser } from "../../../src/worker/host/session_sampler.ts";
import { WorkerSampler } from "../../../src/worker/host/worker_sampler.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/event_loop.ts";

Deno.test("a worker measures all its browsers at once in each period, and each measurement is taken once", async () => {
  const clock = createFakeClock();
  let turn = 0;
  const turns: number[] = [];
  const browser = (sessionId: string): MeasuredBrowser => ({
    sessionId,
    stats() {
      turns.push(turn);
      return Promise.resolve<BrowserStats>({ memoryMb: turn });
    },
  });
  const failing = { sessionId: "c", stats: () => Promise.reject(new Error()) };
  const browsers: MeasuredBrowser[] = [browser("a"), browser("b"), failing];
  await using sampler = new WorkerSampler({
    clock,
    periodMs: 15_000,
    dataDir: "/",
    listBrowsers: () => [...browsers, { sessionId: "none" }],
  });
  sampler.start();
  await settle();
  assert.deepEqual(turns, [0, 0]);
  assert.deepEqual(sampler.takeSession("a"), { memoryMb: 0 });
  assert.equal(sampler.takeSession("a"), undefined);
  assert.equal(sampler.takeSession("c"), undefined);
  // The use of processors is measured over a period, which had no start yet.
  assert.equal(sampler.takeHost(), undefined);

  const until = performance.now() + 60;
  while (performance.now() < until);
  turn = 1;
  browsers.splice(1, 1);
  clock.advance(15_000);
  await settle();
  assert.deepEqual(turns, [0, 0, 1]);
  assert.deepEqual(sampler.takeSession("a"), { memoryMb: 1 });
  // The session has ended: its measurement is dropped.
  assert.equal(sampler.takeSession("b"), undefined);
  assert.ok((sampler.takeHost()?.cpu_percent ?? -1) >= 0);
  assert.equal(sampler.takeHost(), undefined);
});

Deno.test("a period of 0 disables measurements", async () => {
  const clock = createFakeClock();
  await using sampler = new WorkerSampler({
    clock,
    periodMs: 0,
    dataDir: "/",
    listBrowsers: () => assert.fail("measured"),
  });
  sampler.start();
  clock.advance(100_000);
  await settle();
  assert.equal(sampler.takeHost(), undefined);
});
