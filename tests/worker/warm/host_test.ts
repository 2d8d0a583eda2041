import assert from "node:assert/strict";
import { browserSpec } from "../../support/browser_spec.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createFakeProvider } from "../../support/fake_provider.ts";
import { warmHost } from "../../support/warm_scene.ts";
import type { HandedOver } from "../../../src/worker/warm/host.ts";

const NEVER = new AbortController().signal;

/** Consecutive processes of one worker, whose browsers continue to run. */
function scene() {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  let saved: HandedOver = {};
  return {
    provider,
    saved: () => saved,
    /** Starts the next process, which finds the browsers of the last one. */
    next() {
      provider.knobs.leftovers = [...provider.running.values()];
      return warmHost(provider, {
        clock,
        handedOver: saved,
        save(handedOver) {
          saved = handedOver;
          return Promise.resolve();
        },
      });
    },
  };
}

Deno.test("a browser that was handed over belongs to its session also in the next process, and others are swept", async () => {
  const s = scene();
  const first = await s.next();
  const kept = await first.startUnassigned(browserSpec(), NEVER);
  const unused = await first.startUnassigned(browserSpec(), NEVER);
  await first.start(browserSpec(), "cold", NEVER);
  const given = await first.handOver(kept, "session");
  assert.equal(given.sessionId, "session");
  const second = await s.next();
  const found = await second.adopt();
  assert.deepEqual(found.map(({ sessionId }) => sessionId), [
    "session",
    unused.sessionId,
    "cold",
  ]);
  const held = new Set(["session", "cold"]);
  assert.deepEqual(await second.sweep(held), [unused.sessionId]);
  assert.deepEqual(s.provider.swept, [unused.sessionId]);
  assert.equal(s.provider.running.size, 2);
  await found[0]?.stop(0);
  assert.ok(!s.provider.running.has(kept.sessionId));
  const third = await s.next();
  assert.deepEqual((await third.adopt()).map(({ sessionId }) => sessionId), [
    "cold",
  ]);
  assert.deepEqual(s.saved(), {}, "the next process removes it");
});

Deno.test("a browser whose stop fails no longer belongs to its session in the next process", async () => {
  const s = scene();
  const first = await s.next();
  const kept = await first.startUnassigned(browserSpec(), NEVER);
  const given = await first.handOver(kept, "session");
  const hold = Promise.withResolvers<void>();
  s.provider.knobs.stopHold = hold.promise;
  const stopped = given.stop(0);
  hold.reject(new Error("the engine is down"));
  await assert.rejects(stopped, /the engine is down/);
  assert.deepEqual(s.saved(), {});
});

Deno.test("a sweep ends a browser whose session is not held, and returns the session's id", async () => {
  const s = scene();
  const first = await s.next();
  const kept = await first.startUnassigned(browserSpec(), NEVER);
  await first.handOver(kept, "session");
  const second = await s.next();
  await second.adopt();
  assert.deepEqual(await second.sweep(new Set()), ["session"]);
  assert.equal(s.provider.running.size, 0);
  assert.deepEqual(s.saved(), {});
});

Deno.test("a sweep keeps browsers without a session, and those that are handed over during it", async () => {
  const s = scene();
  const host = await s.next();
  const held = new Set<string>();
  const [one, other] = [
    await host.startUnassigned(browserSpec(), NEVER),
    await host.startUnassigned(browserSpec(), NEVER),
  ];
  s.provider.knobs.leftovers = [...s.provider.running.values()];
  held.add("session");
  const given = host.handOver(one, "session");
  assert.deepEqual(await host.sweep(held), []);
  await given;
  s.provider.knobs.leftovers = [...s.provider.running.values()];
  assert.deepEqual(await host.sweep(held), []);
  await host.discard(other);
  assert.equal(s.provider.running.size, 1);
});

Deno.test("a session that is started again does not keep the browser that it was handed before", async () => {
  const s = scene();
  const first = await s.next();
  const kept = await first.startUnassigned(browserSpec(), NEVER);
  await first.handOver(kept, "session");
  await first.start(browserSpec(), "session", NEVER);
  assert.deepEqual(s.saved(), {});
  const second = await s.next();
  await second.adopt();
  assert.deepEqual(await second.sweep(new Set(["session"])), [
    kept.sessionId,
  ]);
  assert.deepEqual([...s.provider.running.keys()], ["session"]);
});

Deno.test("a browser that an earlier process handed over is removed from the state if it is gone", async () => {
  const s = scene();
  const first = await s.next();
  const kept = await first.startUnassigned(browserSpec(), NEVER);
  await first.handOver(kept, "session");
  s.provider.running.get(kept.sessionId)?.die("exit code 9");
  const second = await s.next();
  assert.deepEqual(await second.adopt(), []);
  assert.deepEqual(s.saved(), {});
});

Deno.test("a sweep lists the ids to keep, for providers that iterate over them", async () => {
  const s = scene();
  const host = await s.next();
  const unheld = await host.startUnassigned(browserSpec(), NEVER);
  const kept = await host.startUnassigned(browserSpec(), NEVER);
  await host.handOver(kept, "session");
  await host.sweep(new Set(["session", "cold"]));
  const listed = s.provider.kept();
  assert.deepEqual(
    new Set(listed),
    new Set([unheld.sessionId, kept.sessionId, "cold"]),
  );
  assert.equal(listed?.size, 3);
});
