import assert from "node:assert/strict";
import { WarmBrowser } from "../../../src/worker/warm/browser.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/event_loop.ts";
import { createFakeProvider } from "../../support/fake_provider.ts";
import { warmHost } from "../../support/warm_scene.ts";

const NEVER = new AbortController().signal;

/** A fake host, on which a test starts one warm browser. */
async function scene() {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const failures: unknown[] = [];
  let ready = 0;
  let saveError: Error | undefined;
  const host = await warmHost(provider, {
    clock,
    save: () => saveError ? Promise.reject(saveError) : Promise.resolve(),
  });
  return {
    clock,
    provider,
    failures,
    readyCalls: () => ready,
    failToSave: (error: Error) => void (saveError = error),
    async start() {
      const browser = new WarmBrowser({
        host,
        clock,
        spec: browserSpec(),
        isHostUp: async () => await true,
        onReady: () => ready++,
        onFailure: (error) => failures.push(error),
      });
      await settle();
      return browser;
    },
  };
}

Deno.test("a warm browser is ready once it runs, and gone after end()", async () => {
  const s = await scene();
  s.provider.knobs.revision = "r1";
  s.clock.advance(5_000);
  const browser = await s.start();
  assert.ok(browser.isReady && !browser.isEnding);
  assert.deepEqual([browser.readyAt, browser.revision], [5_000, "r1"]);
  assert.equal(s.readyCalls(), 1);
  browser.end();
  await browser.ended;
  assert.equal(s.provider.running.size, 0);
  assert.deepEqual(s.failures, []);
});

Deno.test("a warm browser is prepared for its own properties before its start", async () => {
  const s = await scene();
  const browser = await s.start();
  assert.deepEqual(s.provider.prepared, [browserSpec()]);
  browser.end();
  await browser.ended;
});

Deno.test("end() during the start ends it, and reports no failure", async () => {
  const s = await scene();
  s.provider.knobs.hold = new Promise(() => {});
  const browser = await s.start();
  assert.ok(!browser.isReady);
  assert.equal(browser.readyAt, Infinity);
  browser.end();
  await browser.ended;
  assert.deepEqual(s.failures, []);
  assert.equal(s.readyCalls(), 0);
});

Deno.test("a start that takes longer than a minute fails", async () => {
  const s = await scene();
  s.provider.knobs.hold = new Promise(() => {});
  const browser = await s.start();
  s.clock.advance(59_999);
  await settle();
  assert.deepEqual(s.failures, []);
  s.clock.advance(1);
  await browser.ended;
  assert.equal(s.failures.length, 1);
});

Deno.test("a failed preparation and a failed start are reported once, with their error", async () => {
  for (const knob of ["prepareError", "startError"] as const) {
    const s = await scene();
    s.provider.knobs[knob] = "no luck";
    const browser = await s.start();
    await browser.ended;
    assert.deepEqual(s.failures.map(String), ["Error: no luck"]);
    assert.ok(!browser.isReady);
  }
});

Deno.test("a warm browser that dies is reported and removed", async () => {
  const s = await scene();
  const browser = await s.start();
  [...s.provider.running.values()][0]?.die("exit code 139");
  await browser.ended;
  assert.deepEqual(s.failures, ["it died: exit code 139"]);
  assert.ok(browser.isEnding);
});

Deno.test("handOver() gives the browser to the session, after which end() and its death are the session's matter", async () => {
  const s = await scene();
  const browser = await s.start();
  const given = await browser.handOver("session", NEVER);
  assert.equal(given.sessionId, "session");
  await browser.ended;
  browser.end();
  await settle();
  assert.equal(s.provider.running.size, 1);
  [...s.provider.running.values()][0]?.die("exit code 139");
  assert.equal((await given.exited).detail, "exit code 139");
  assert.deepEqual(s.failures, []);
});

Deno.test("handOver() waits for the start, without a report that the browser is ready", async () => {
  const s = await scene();
  const hold = Promise.withResolvers<void>();
  s.provider.knobs.hold = hold.promise;
  const browser = await s.start();
  const handing = browser.handOver("session", NEVER);
  hold.resolve();
  assert.equal((await handing).sessionId, "session");
  assert.equal(s.readyCalls(), 0);
});

Deno.test("handOver() rejects with the error of the start, and reports it to no one else", async () => {
  const s = await scene();
  const hold = Promise.withResolvers<void>();
  s.provider.knobs.hold = hold.promise;
  const browser = await s.start();
  const handing = browser.handOver("session", NEVER);
  hold.reject(new Error("no luck"));
  await assert.rejects(handing, /no luck/);
  await browser.ended;
  assert.deepEqual(s.failures, []);
});

Deno.test("handOver() ends the browser if its signal is aborted during the start, or if it cannot be saved", async () => {
  const s = await scene();
  s.provider.knobs.hold = new Promise(() => {});
  const starting = await s.start();
  const stop = new AbortController();
  const waiting = starting.handOver("session", stop.signal);
  stop.abort(new Error("it took too long"));
  await assert.rejects(waiting, /it took too long/);
  s.provider.knobs.hold = undefined;
  const ready = await s.start();
  s.failToSave(new Error("the disk is full"));
  await assert.rejects(ready.handOver("session", NEVER), /the disk is full/);
  assert.equal(s.provider.running.size, 0);
});
