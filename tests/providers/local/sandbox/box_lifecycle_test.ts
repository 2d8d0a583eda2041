import assert from "node:assert/strict";
import process from "node:process";
import { isGroupAlive } from "../../../../src/providers/local/process/process_group.ts";
import { waitUntil } from "../../../support/provider_machine.ts";
import { browserCdp } from "../../../support/unix_cdp.ts";
import {
  createIsolatedSpec,
  declareBoxTest,
  NEVER,
  openHome,
  openSite,
} from "./box_scene.ts";

declareBoxTest(
  "adopt() returns an isolated browser with its network, and stop() leaves no resources of it",
  async () => {
    await using at = await openHome();
    await using allowed = await openSite();
    const first = at.open();
    const spec = createIsolatedSpec([allowed.place]);
    const started = await first.start(spec, "session-1", NEVER);
    assert.equal(started.endpoint.port, "0");
    await first[Symbol.asyncDispose]();
    const [browser, ...others] = await at.open().adopt();
    assert.ok(browser);
    assert.deepEqual(others, []);
    assert.equal(browser.endpoint.href, started.endpoint.href);
    {
      await using cdp = await browserCdp(browser);
      const page = await cdp.page();
      assert.equal(
        await cdp.visit(page, `http://${allowed.place}/`),
        "SITE-OK",
      );
      assert.match(
        await cdp.visit(page, "http://127.0.0.1:8000/"),
        /^Cannot connect to 127\.0\.0\.1:8000: /,
      );
    }
    await browser.stop(2_000);
    assert.equal((await browser.exited).reason, "stopped");
    await waitUntil(async () => (await at.listResources()).length === 0);
  },
);

declareBoxTest(
  "an isolated browser ends completely and counts as crashed if its processes are killed",
  async () => {
    await using at = await openHome();
    const host = at.open();
    for (const signalled of [1, -1]) {
      const browser = await host.start(
        createIsolatedSpec(),
        "session-1",
        NEVER,
      );
      const pid = Number(browser.details["pid"]);
      process.kill(pid * signalled, "SIGKILL");
      assert.equal((await browser.exited).reason, "crashed");
      await browser.stop(0);
      assert.ok(!await isGroupAlive(pid));
      assert.deepEqual(await at.listResources(), []);
    }
  },
);

declareBoxTest(
  "an isolated browser that its client closes leaves no process, even before it is stopped",
  async () => {
    await using at = await openHome();
    const browser = await at.open().start(
      createIsolatedSpec(),
      "session-1",
      NEVER,
    );
    await using cdp = await browserCdp(browser);
    await cdp.call("Browser.close");
    assert.deepEqual(await browser.exited, {
      reason: "stopped",
      detail: "the browser was closed",
    });
    await waitUntil(async () =>
      !await isGroupAlive(Number(browser.details["pid"]))
    );
    await browser.stop(0);
    assert.deepEqual(await at.listResources(), []);
  },
);

declareBoxTest(
  "a start that is aborted at any time leaves no resources of the sandbox",
  async () => {
    await using at = await openHome();
    const host = at.open();
    for (const afterMs of [0, 20, 60, 150, 300]) {
      const abort = new AbortController();
      const unwanted = new Error("no longer wanted");
      const timer = setTimeout(() => abort.abort(unwanted), afterMs);
      try {
        // A start that is faster than the abort succeeds.
        await (await host.start(
          createIsolatedSpec(),
          "session-1",
          abort.signal,
        )).stop(0);
      } catch (error) {
        assert.equal(error, unwanted);
      } finally {
        clearTimeout(timer);
      }
      assert.deepEqual(await at.listResources(), [], `after ${afterMs} ms`);
    }
  },
);
