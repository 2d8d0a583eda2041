import assert from "node:assert/strict";
import { createClaimedSession } from "../support/claimed_session.ts";
import {
  type BrowserSource,
  startBrowser,
} from "../../src/worker/start_browser.ts";
import type { TakeOptions } from "../../src/worker/warm/pool.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";
import {
  createFakeBrowser,
  createFakeProvider,
} from "../support/fake_provider.ts";

const NEVER = new AbortController().signal;

const CLAIMED = createClaimedSession({ start_timeout_ms: 20_000 });

/** A fake host and a warm pool that a test replaces. */
async function scene(warm: Partial<BrowserSource["warm"]> = {}) {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const host = await provider.open({}, {
    gridId: "grid",
    workerId: "worker",
    dataDir: "",
  });
  const source: BrowserSource = {
    host,
    clock,
    warm: {
      take: () => Promise.resolve(undefined),
      makeRoom: () => Promise.resolve(),
      ...warm,
    },
  };
  return { clock, provider, source };
}

Deno.test("startBrowser() returns a warm browser, for which it waits half of the start timeout", async () => {
  const browser = createFakeBrowser(browserSpec(), "a");
  for (const wasReady of [true, false]) {
    let given: TakeOptions | undefined;
    const { provider, source } = await scene({
      take: (_spec, _id, options) => {
        given = options;
        return Promise.resolve({ browser, wasReady });
      },
    });
    const started = await startBrowser(CLAIMED, source, NEVER);
    assert.deepEqual(started, { browser, isWarm: wasReady });
    assert.equal(given?.waitMs, 10_000);
    assert.equal(provider.mostAtOnce(), 0);
  }
});

Deno.test("startBrowser() prepares and starts a new browser after room was made, if no warm one matches", async () => {
  const room = Promise.withResolvers<void>();
  const { provider, source } = await scene({ makeRoom: () => room.promise });
  const starting = startBrowser(CLAIMED, source, NEVER);
  await settle();
  assert.deepEqual(provider.prepared, []);
  room.resolve();
  const { browser, isWarm } = await starting;
  assert.equal(browser.sessionId, "a");
  assert.ok(!isWarm);
  assert.equal(provider.prepared.length, 1);
});

Deno.test("startBrowser() does not count the preparation towards the start timeout", async () => {
  const { clock, provider, source } = await scene();
  const prepared = Promise.withResolvers<void>();
  provider.knobs.prepareHold = prepared.promise;
  const starting = startBrowser(CLAIMED, source, NEVER);
  await settle();
  clock.advance(600_000);
  await settle();
  prepared.resolve();
  assert.equal((await starting).browser.sessionId, "a");
});

Deno.test("startBrowser() rejects with the timeout in seconds if the start takes longer", async () => {
  const { clock, provider, source } = await scene();
  provider.knobs.hold = new Promise(() => {});
  const starting = startBrowser(CLAIMED, source, NEVER);
  await settle();
  clock.advance(20_000);
  await assert.rejects(
    starting,
    /^Error: the browser did not start within 20 s$/,
  );
});

Deno.test("startBrowser() abandons a start that does not react to the timeout, and stops a late browser", async () => {
  const { clock, provider, source } = await scene();
  const hold = Promise.withResolvers<void>();
  Object.assign(provider.knobs, { hold: hold.promise, deaf: true });
  const starting = startBrowser(CLAIMED, source, NEVER);
  await settle();
  clock.advance(20_000);
  await settle();
  clock.advance(15_000);
  await assert.rejects(starting, /did not start within 20 s/);
  hold.resolve();
  await settle();
  assert.equal(provider.running.size, 0);
});

Deno.test("startBrowser() rejects with the provider's error, and with the signal's reason", async () => {
  const failing = await scene();
  failing.provider.knobs.startError = "no display";
  await assert.rejects(
    startBrowser(CLAIMED, failing.source, NEVER),
    /no display/,
  );
  const stopped = await scene();
  stopped.provider.knobs.hold = new Promise(() => {});
  const stop = new AbortController();
  const starting = startBrowser(CLAIMED, stopped.source, stop.signal);
  await settle();
  stop.abort(new Error("the lease was lost"));
  await assert.rejects(starting, /the lease was lost/);
});
