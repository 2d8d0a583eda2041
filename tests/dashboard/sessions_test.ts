import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { createApiClient } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { testGrid } from "../support/grid.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "sessions are selected by the URL, paged by cursor, and found again by the back button",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    await api.pool();
    await api.pool({ name: "other" });
    for (let at = 0; at < 52; at++) {
      await api.session({
        work_pool_id: at === 1 ? "other" : "pool",
        labels: { at: String(at) },
      });
    }
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/sessions?status=pending`,
    );
    await shows(".label", /^at=51$/);
    const countRows = () => page.$$eval("tbody tr", ({ length }) => length);
    assert.equal(await countRows(), 50);
    await page.click(".pages button:last-child");
    await shows(".label", /^at=0$/);
    assert.equal(await countRows(), 2);
    assert.match(page.url(), /status=pending&cursor=/);
    await page.select("select[name=pool]", await findPool(page, "other"));
    await shows(".label", /^at=1$/);
    assert.doesNotMatch(page.url(), /cursor/);
    assert.equal(await countRows(), 1);
    await page.goBack();
    await shows(".label", /^at=0$/);
    await page.goBack();
    await shows(".label", /^at=51$/);
    await page.type("input[name=search]", "at=7\n");
    await page.waitForFunction(() =>
      document.querySelectorAll("tbody tr").length === 1
    );
    await shows(".label", /^at=7$/);
    await page.select("select[name=status]", "running");
    await shows(".empty", /No session meets the selection/);
    await page.$eval("input[name=search]", (input) => input.select());
    await page.type("input[name=search]", "nonsense\n");
    await shows(".filters [role=alert]", /NAME=VALUE/);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a session's page says why it waits, shows outside text as text, follows its events and output, and stops it after a question",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    await api.pool();
    const hostile = '<img src="x" onerror="document.title=1">';
    const { id } = await api.session({ labels: { note: hostile } });
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/sessions/${id}`,
    );
    await shows(".reason-line", /number 1 in the queue/);
    await shows(".label", /note=<img/);
    await shows(".code", new RegExp(`ws://.*/v1/sessions/${id}/cdp`));
    const worker = await api.worker();
    const claimed = await api.claim(worker);
    assert.ok(claimed);
    await api.report(worker, claimed, "running", {
      endpoint: "ws://127.0.0.1:9/devtools/browser/x",
    });
    await shows("h1", /running/);
    await shows(".timeline li", /Browser runs/);
    const sendLogs = (text: string) =>
      api.call("POST", `/sessions/${id}/logs`, {
        fencing_token: claimed.fencing_token,
        text,
      });
    await eventually(
      "the page follows the output",
      async () => (await sendLogs("")).body.followed,
    );
    await sendLogs("<b>first</b> line\n");
    await shows(".output", /<b>first<\/b> line/);
    await sendLogs("second line\n");
    await shows(".output", /second line/);
    await page.click(".heading button.danger");
    await shows("dialog[open]", /Stop this session/);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { hidden: true });
    await shows("h1", /running/);
    await page.click(".heading button.danger");
    await page.click("dialog[open] button.danger");
    await api.report(worker, claimed, "completed");
    await shows("h1", /completed/);
    assert.equal(await page.$("dialog[open]"), null);
    assert.equal(await page.$("img"), null);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a pool is paused and resumed after a question, and a rejection is shown in the dialog",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    const pool = await api.pool();
    await api.session();
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/pools/${pool.id}`,
    );
    for (
      const [button, status] of [["Pause", "paused"], ["Resume", "active"]]
    ) {
      await page.locator(`.heading ::-p-text(${button})`).click();
      await page.click("dialog[open] button.primary");
      await shows("h1", new RegExp(status ?? ""));
    }
    await page.click(".heading button.danger");
    await page.click("dialog[open] button.danger");
    await shows("dialog[open] [role=alert]", /Cannot delete/);
    const { status } = await api.call("GET", `/workerpool/pools/${pool.id}`);
    assert.equal(status, 200);
    assert.deepEqual(faults, []);
  },
});

async function findPool(
  page: Page,
  name: string,
): Promise<string> {
  await page.waitForSelector("select[name=pool] option:nth-child(2)");
  return await page.$$eval(
    "select[name=pool] option",
    (options, name) =>
      options.find(({ textContent }) => textContent === name)?.value ?? "",
    name,
  );
}
