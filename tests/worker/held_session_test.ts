import assert from "node:assert/strict";
import { createClaimedSession } from "../support/claimed_session.ts";
import type { ClaimedSession } from "../../src/client/client.ts";
import type { RunningBrowser } from "../../src/core/provider.ts";
import { HeldSession } from "../../src/worker/held_session.ts";
import type { Report } from "../../src/worker/report.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";
import {
  createFakeBrowser,
  createFakeProvider,
} from "../support/fake_provider.ts";

/** Sessions on a fake host, with their reports. */
async function scene() {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const host = await provider.open({}, {
    gridId: "grid",
    workerId: "worker",
    dataDir: "",
  });
  const reports: Report[] = [];
  const knobs = { isHostUp: true };
  const options = {
    host,
    warm: {
      take: () => Promise.resolve(undefined),
      makeRoom: () => Promise.resolve(),
    },
    clock,
    isHostUp: () => Promise.resolve(knobs.isHostUp),
    onReport: (report: Report) => void reports.push(report),
  };
  return {
    clock,
    provider,
    reports,
    knobs,
    start: (
      fields: Partial<ClaimedSession> = {},
      after?: Promise<void>,
    ) =>
      HeldSession.start(
        createClaimedSession({ fencing_token: 3, ...fields }),
        { ...options, after },
      ),
    adopt: (browser: RunningBrowser) => HeldSession.adopt(browser, 7, options),
    statuses: () => reports.map(({ status }) => status),
    last: () => reports.at(-1),
  };
}

const STOPPED = { status: "completed", reason: "it was deleted" } as const;

Deno.test("a started session reports its running browser under its fencing token", async () => {
  const s = await scene();
  const session = s.start();
  await settle();
  assert.partialDeepStrictEqual(s.last(), {
    session_id: "a",
    fencing_token: 3,
    status: "running",
    endpoint: session.browser?.endpoint.href,
  });
  assert.ok(!session.isEnding);
  session.end({ ...STOPPED, force: false });
  await session.ended;
});

Deno.test("a session waits for the end of an earlier one with its id, also if that fails", async () => {
  const s = await scene();
  const earlier = Promise.withResolvers<void>();
  const session = s.start({}, earlier.promise);
  await settle();
  assert.equal(s.provider.mostAtOnce(), 0);
  earlier.reject(new Error("it did not end"));
  await settle();
  assert.deepEqual(s.statuses(), ["running"]);
  session.end({ ...STOPPED, force: false });
  await session.ended;
});

Deno.test("a failed start is reported as failed, and as released while the host does not respond", async () => {
  for (const isHostUp of [true, false]) {
    const s = await scene();
    s.knobs.isHostUp = isHostUp;
    s.provider.knobs.startError = "no display with PASSWORD=hush-hush";
    await s.start({ environment: { PASSWORD: "hush-hush" } }).ended;
    assert.equal(s.last()?.status, isHostUp ? "failed" : "released");
    assert.equal(s.last()?.status_reason, "no display with PASSWORD=…");
  }
});

Deno.test("a session that ends before its browser runs reports the requested end, and starts nothing more", async () => {
  const s = await scene();
  s.provider.knobs.hold = new Promise(() => {});
  const session = s.start();
  await settle();
  session.end({ status: "released", reason: "the worker leaves", force: true });
  await session.ended;
  assert.deepEqual(s.statuses(), ["released"]);
  assert.equal(s.last()?.status_reason, "the worker leaves");
  assert.equal(s.provider.running.size, 0);
});

Deno.test("a requested end is reported after the browser is gone, with the first reason", async () => {
  const s = await scene();
  const session = s.start();
  await settle();
  const hold = Promise.withResolvers<void>();
  s.provider.knobs.stopHold = hold.promise;
  session.end({ ...STOPPED, force: false });
  session.end({ status: "terminated", reason: "later", force: false });
  assert.ok(session.isEnding);
  await settle();
  assert.deepEqual(s.statuses(), ["running"]);
  hold.resolve();
  await session.ended;
  assert.deepEqual(s.statuses(), ["running", "completed"]);
  assert.equal(s.last()?.status_reason, "it was deleted");
  assert.deepEqual(s.provider.graces, [5_000]);
});

Deno.test("a forced end kills the browser, also during a stop that has begun", async () => {
  const s = await scene();
  const session = s.start();
  await settle();
  s.provider.knobs.stopHold = new Promise(() => {});
  session.end({ ...STOPPED, force: false });
  await settle();
  s.provider.knobs.stopHold = undefined;
  session.end({ status: "terminated", reason: "later", force: true });
  session.end({ status: "terminated", reason: "again", force: true });
  await settle();
  assert.deepEqual(s.provider.graces, [5_000, 0], "it is killed once");
  assert.equal(s.provider.running.size, 0);
});

Deno.test("a browser that exits is reported immediately, with the end of its output, and removed", async () => {
  const s = await scene();
  const browser = createFakeBrowser(browserSpec(), "a");
  let isRemoved = false;
  const hold = Promise.withResolvers<void>();
  const session = s.adopt({
    ...browser,
    logs: () => Promise.resolve(`${"x".repeat(40_000)}last line`),
    async stop() {
      await hold.promise;
      isRemoved = true;
    },
  });
  browser.die("exit code 139");
  await settle();
  assert.equal(s.last()?.status, "crashed");
  assert.equal(s.last()?.status_reason, "exit code 139");
  assert.equal(s.last()?.fencing_token, 7);
  assert.equal(s.last()?.logs?.length, 32_000);
  assert.match(s.last()?.logs ?? "", /last line$/);
  hold.resolve();
  await session.ended;
  assert.ok(isRemoved);
  assert.deepEqual(s.statuses(), ["running", "crashed"]);
});

Deno.test("a browser that a user closes makes its session completed", async () => {
  const s = await scene();
  const browser = createFakeBrowser(browserSpec(), "a");
  const session = s.adopt(browser);
  await browser.stop(0);
  await session.ended;
  assert.equal(s.last()?.status, "completed");
});

Deno.test("an engine that does not return the output delays the report by one second, and a failure by nothing", async () => {
  for (const isSilent of [true, false]) {
    const s = await scene();
    const browser = createFakeBrowser(browserSpec(), "a");
    const session = s.adopt({
      ...browser,
      logs: () =>
        isSilent
          ? new Promise(() => {})
          : Promise.reject(new Error("the engine is down")),
    });
    browser.die("exit code 1");
    await settle();
    assert.equal(s.last()?.status, isSilent ? "running" : "crashed");
    s.clock.advance(1_000);
    await session.ended;
    assert.equal(s.last()?.status, "crashed");
    assert.equal(s.last()?.logs, undefined);
  }
});

Deno.test("a browser that cannot be removed is left to the sweep: its session ends", async () => {
  const s = await scene();
  const session = s.adopt({
    ...createFakeBrowser(browserSpec(), "a"),
    stop: () => Promise.reject(new Error("the engine is down")),
  });
  session.end({ ...STOPPED, force: false });
  await session.ended;
  assert.deepEqual(s.statuses(), ["running", "completed"]);
});

Deno.test("a browser that hangs is killed without a request to close", async () => {
  const s = await scene();
  s.provider.knobs.probe = () => Promise.reject(new Error("no zygote"));
  const session = s.start();
  await settle();
  for (let seconds = 0; seconds < 60; seconds += 2) {
    s.clock.advance(2_000);
    await settle();
  }
  await session.ended;
  assert.equal(s.last()?.status, "crashed");
  assert.match(s.last()?.status_reason ?? "", /hangs: no zygote/);
  assert.deepEqual(s.provider.graces, [0]);
});
