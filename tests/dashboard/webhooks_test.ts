import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { testGrid } from "../support/grid.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
  verifySignature,
} from "../support/webhook_receiver.ts";
import { choose, fill, press, submit } from "./form_scene.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "a webhook is created, tested, retried, edited, paused, gets a new secret, and is deleted after a question",
  ignore,
  async fn() {
    await using grid = await testGrid({
      listen: true,
      settings: RECEIVER_SETTINGS,
    });
    const { call } = createApiClient(grid);
    await using receiver = await startReceiver((_, count) =>
      count === 0
        ? { status: 500, body: "<b>Out of order</b>" }
        : { status: 200, body: "accepted" }
    );
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/webhooks`,
    );
    await shows(".empty-title", /There is no webhook/);
    await press(page, "Create webhook");
    await fill(page, "name", "billing");
    await fill(page, "url", "ftp://hooks.example/");
    await fill(page, "event_pattern", "session.*");
    await submit(page);
    await shows(".field-error", /./);
    await fill(page, "url", receiver.url);
    await submit(page);
    await shows(".secret-once", /not shown again/);
    const secret = await page.$eval(
      ".secret-once code",
      ({ textContent }) => textContent ?? "",
    );
    await page.locator("main ::-p-text(Go on to the webhook)").click();
    await shows(".empty-title", /Nothing was sent yet/);
    assert.ok(!(await page.content()).includes(secret));

    await press(page, "Send a test");
    const [test] = await receiver.waitFor(1);
    assert.ok(test);
    verifySignature(test, secret);
    await shows("td .badge", /failed/);
    await page.click("td .result summary");
    await shows(".excerpt", /^<b>Out of order<\/b>$/);
    await page.locator("td ::-p-text(Retry)").click();
    await receiver.waitFor(2);
    await shows("td .badge", /delivered/);
    await shows("td .result", /^200/);
    await page.select(".inline-field select", "failed");
    await shows(".empty-title", /No delivery has this status/);
    assert.match(page.url(), /status=failed/);
    await page.select(".inline-field select", "delivered");
    await shows("td", /webhook\.test/);

    await press(page, "Rotate secret", { confirm: true });
    await shows(".secret-once", /24 hours/);
    const next = await page.$eval(
      ".secret-once code",
      ({ textContent }) => textContent ?? "",
    );
    await press(page, "Send a test");
    const [, , last] = await receiver.waitFor(3);
    assert.ok(last && next !== secret);
    verifySignature(last, next);

    await press(page, "Edit");
    await fill(page, "description", "Minutes of each session");
    await submit(page);
    await shows(".heading p", /Minutes of each session/);
    await press(page, "Pause", { confirm: true });
    await shows("h1 .badge", /paused/);
    await shows(".reason-line", /It is paused/);
    assert.equal(await page.$("td button"), null);
    await press(page, "Activate");
    await shows("h1 .badge", /active/);
    await press(page, "Delete", { confirm: true });
    await shows(".empty-title", /There is no webhook/);
    assert.deepEqual((await call("GET", "/webhooks")).body.items, []);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a template sets the events of a webhook, filters are rows of fields, and headers are kept unseen",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const { call } = createApiClient(grid);
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/webhooks/new`,
    );
    await fill(page, "name", "failures");
    await fill(page, "url", "https://hooks.example/");
    await choose(page, "template", "failing_responses");
    await page.waitForSelector("[name=event_pattern]", { hidden: true });
    await submit(page);
    await shows(".secret-once", /secret/);
    const { body: { items: [created] } } = await call("GET", "/webhooks");
    assert.equal(created.event_pattern, "cdp:Network.responseReceived");
    const path = `/webhooks/${created.id}`;
    await call("PATCH", path, { headers: { authorization: "Bearer hidden" } });

    await page.goto(`${grid.url}/ui/webhooks/${created.id}/edit`);
    await page.waitForSelector("[name='filters.0.value']");
    assert.equal(
      await page.$eval(
        "[name='filters.0.value']",
        (input) => input instanceof HTMLInputElement && input.value,
      ),
      "400",
    );
    await shows(".hidden-values", /authorization/);
    await page.click(".rows > button");
    await fill(page, "filters.1.path", "params.response.url");
    await choose(page, "filters.1.operator", "glob");
    await fill(page, "filters.1.value", "https://shop.example/*");
    await submit(page);
    await shows("h1", /^failures/);
    const { body: changed } = await call("GET", path);
    assert.deepEqual(changed.filters, [
      { path: "params.response.status", operator: "ge", value: 400 },
      {
        path: "params.response.url",
        operator: "glob",
        value: "https://shop.example/*",
      },
    ]);
    assert.deepEqual(changed.headers, ["authorization"]);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name: "deliveries of a webhook are listed in pages",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const { call } = createApiClient(grid);
    const { body: { id } } = await call("POST", "/webhooks", {
      name: "a",
      url: "https://hooks.example/",
      event_pattern: "session.*",
    });
    for (let at = 0; at < 27; at++) {
      await grid.core.db.client.execute({
        sql:
          "INSERT INTO webhook_deliveries (webhook_id, message_id, type, subject, data, timestamp, status, attempts, ended_at) VALUES (?, ?, ?, ?, '{}', ?, 'delivered', 1, ?)",
        args: [id, `m-${at}`, `type.${at}`, `s-${at}`, Date.now(), Date.now()],
      });
    }
    await using browser = await startBrowser();
    const { page, shows } = await browser.open(
      `${grid.url}/ui/webhooks/${id}`,
    );
    await shows("td", /^type\.26/);
    await page.locator(".pages ::-p-text(Older)").click();
    await shows("td", /^type\.0/);
    assert.equal((await page.$$("tbody tr")).length, 2);
    await page.locator(".pages ::-p-text(Newest)").click();
    await shows("td", /^type\.26/);
  },
});
