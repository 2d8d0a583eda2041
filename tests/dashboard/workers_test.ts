import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { testGrid } from "../support/grid.ts";
import { press } from "./form_scene.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

Deno.test({
  name:
    "a worker is drained, resumed and deleted after a question, but not while it holds a session",
  ignore: !hasBrowser(),
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    await api.pool();
    const { workerId } = await api.running();
    const idle = await api.worker({ name: "idle" });
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/workers/${workerId}`,
    );
    await shows("h1 .badge", /online|busy/);
    await press(page, "Delete");
    await page.click("dialog[open] button.danger");
    await shows("dialog[open] [role=alert]", /Cannot delete/);
    await page.locator("dialog[open] ::-p-text(Cancel)").click();
    await page.waitForSelector("dialog[open]", { hidden: true });
    await press(page, "Drain", { confirm: true });
    await shows("h1 .badge", /draining/);
    await press(page, "Resume", { confirm: true });
    await shows("h1 .badge", /online|busy/);

    await page.goto(`${grid.url}/ui/workers/${idle}`);
    await shows("h1", /^idle/);
    await press(page, "Delete", { confirm: true });
    await shows("h1", /^Workers$/);
    const { status } = await api.call("GET", `/workerpool/workers/${idle}`);
    assert.equal(status, 404);
    assert.deepEqual(faults, []);
  },
});
