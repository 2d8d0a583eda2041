import assert from "node:assert/strict";
import type { BrowserSpec } from "../../../src/core/browser_spec.ts";
import { WarmBrowser } from "../../../src/worker/warm/browser.ts";
import { RevisionCheck } from "../../../src/worker/warm/revision_check.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/event_loop.ts";
import { createFakeProvider } from "../../support/fake_provider.ts";
import { warmHost } from "../../support/warm_scene.ts";

/** Ready browsers and a check of them. */
async function scene() {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  provider.knobs.revision = "one";
  const host = await warmHost(provider, { clock });
  const requests: BrowserSpec[] = [];
  let checked = 0;
  const check = new RevisionCheck({
    host: {
      revision: (spec, signal) => {
        requests.push(spec);
        return host.revision?.(spec, signal) ?? Promise.resolve("");
      },
    },
    clock,
    onChecked: () => checked++,
  });
  const all = new Set<WarmBrowser>();
  return {
    clock,
    provider,
    check,
    all,
    requests,
    checked: () => checked,
    async ready(spec = browserSpec()) {
      const browser = new WarmBrowser({
        host,
        clock,
        spec,
        isHostUp: async () => await true,
        onReady: () => {},
        onFailure: () => {},
      });
      all.add(browser);
      await settle();
      return browser;
    },
    async [Symbol.asyncDispose]() {
      await check[Symbol.asyncDispose]();
      for (const each of all) each.end();
      await Promise.all([...all].map(({ ended }) => ended));
    },
  };
}

Deno.test("RevisionCheck marks browsers with another revision as outdated, and no others", async () => {
  await using s = await scene();
  const before = await s.ready();
  const other = await s.ready(browserSpec({ headless: false }));
  s.provider.knobs.revision = "two";
  const after = await s.ready();
  s.check.runIfDue(browserSpec(), s.all);
  await settle();
  assert.equal(s.checked(), 1);
  assert.ok(s.check.isOutdated(before));
  assert.ok(!s.check.isOutdated(after));
  assert.ok(!s.check.isOutdated(other), "its own revision is not known");
});

Deno.test("RevisionCheck checks once a minute", async () => {
  await using s = await scene();
  await s.ready();
  s.check.runIfDue(browserSpec(), s.all);
  s.check.runIfDue(browserSpec(), s.all);
  await settle();
  s.clock.advance(59_999);
  s.check.runIfDue(browserSpec(), s.all);
  assert.equal(s.requests.length, 1);
  s.clock.advance(6_001);
  s.check.runIfDue(browserSpec(), s.all);
  assert.equal(s.requests.length, 2);
  await settle();
});

Deno.test("RevisionCheck marks nothing if the check fails", async () => {
  await using s = await scene();
  const browser = await s.ready();
  const check = new RevisionCheck({
    host: { revision: () => Promise.reject(new Error("the engine is down")) },
    clock: s.clock,
    onChecked: () => assert.fail("the check has failed"),
  });
  check.runIfDue(browserSpec(), s.all);
  await settle();
  assert.ok(!check.isOutdated(browser));
  await check[Symbol.asyncDispose]();
});

Deno.test("disposal of a RevisionCheck aborts the check in progress", async () => {
  await using s = await scene();
  await s.ready();
  let isAborted = false;
  const check = new RevisionCheck({
    host: {
      revision: (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => {
            isAborted = true;
            reject(signal.reason);
          })
        ),
    },
    clock: s.clock,
    onChecked: () => {},
  });
  check.runIfDue(browserSpec(), s.all);
  await check[Symbol.asyncDispose]();
  assert.ok(isAborted);
});

Deno.test("RevisionCheck does nothing for a host without revisions", async () => {
  await using s = await scene();
  const check = new RevisionCheck({
    host: {},
    clock: s.clock,
    onChecked: () => assert.fail("there is nothing to check"),
  });
  check.runIfDue(browserSpec(), s.all);
  await settle();
  await check[Symbol.asyncDispose]();
});
