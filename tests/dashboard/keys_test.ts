import assert from "node:assert/strict";
import { testGrid } from "../support/grid.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../support/keys.ts";
import { choose, fill, press, submit } from "./form_scene.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "a key is created from a form, shown once, works, shows its last use, and is revoked after a question",
  ignore,
  async fn() {
    await using grid = await keyedGrid({ listen: true });
    await grid.admin.pool({ name: "crawlers" });
    await using browser = await startBrowser();
    const { page, shows, signIn, faults } = await browser.open(
      `${grid.url}/ui/keys`,
    );
    await signIn(BOOTSTRAP_KEY);
    await shows(".empty-title", /There is no key/);
    await press(page, "Create key");
    await fill(page, "name", "nightly");
    await choose(page, "work_pool_id", "crawlers");
    await fill(page, "expires_in_days", "-1");
    await submit(page);
    await shows(".field-error", />0/);
    await fill(page, "expires_in_days", "30");
    await submit(page);
    await shows(".secret-once", /not shown again/);
    const key = await page.$eval(
      ".secret-once code",
      ({ textContent }) => textContent ?? "",
    );
    await shows(".tab-row + .code", /v1\/connect\?work_pool_id=crawlers/);
    const session = await grid.as(key).session();
    assert.equal(session.status, "pending");

    await page.locator("main ::-p-text(All keys)").click();
    await shows("td", /^nightly/);
    await page.reload();
    await shows("td", /^crawlers$/);
    assert.ok(!(await page.content()).includes(key));
    const { body: { items: [stored] } } = await grid.admin.call("GET", "/keys");
    assert.deepEqual([stored.role, stored.name], ["client", "nightly"]);

    await page.click("td button.danger");
    await shows("dialog[open]", /Revoke key "nightly"/);
    await page.click("dialog[open] button.danger");
    await shows("td .badge", /revoked/);
    const rejected = await grid.as(key).call("GET", "/sessions");
    assert.equal(rejected.status, 401);
    assert.equal(await page.$("td button.danger"), null);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "the form of a key has only the fields of its role, and a client has no pages of keys and pools, but its own webhooks",
  ignore,
  async fn() {
    await using grid = await keyedGrid({ listen: true });
    const { key } = await grid.key({ role: "client" });
    await grid.admin.call("POST", "/webhooks", {
      name: "of-admin",
      url: "https://hooks.example/",
      event_pattern: "*",
    });
    await using browser = await startBrowser();
    const admin = await browser.open(`${grid.url}/ui/keys/new`);
    await admin.signIn(BOOTSTRAP_KEY);
    await choose(admin.page, "role", "metrics");
    await admin.page.waitForSelector("[name=max_sessions]", { hidden: true });
    assert.equal(await admin.page.$("[name=work_pool_id]"), null);
    await fill(admin.page, "name", "scraper");
    await submit(admin.page);
    await admin.shows(".panel", /\/metrics/);

    const client = await browser.open(`${grid.url}/ui/webhooks`);
    await client.signIn(key);
    await client.shows(".empty-title", /There is no webhook/);
    const navigation = await client.page.$eval("nav", (nav) => nav.innerText);
    assert.doesNotMatch(navigation, /Keys|Pools|Workers/);
    for (const path of ["keys", "keys/new", "pools/new", "pools/a/edit"]) {
      await client.page.goto(`${grid.url}/ui/${path}`);
      await client.shows("h1", /No such page/);
    }
    assert.deepEqual([...admin.faults, ...client.faults], []);
  },
});

Deno.test({
  name: "a form is filled in and sent with the keyboard alone",
  ignore,
  async fn() {
    await using grid = await keyedGrid({ listen: true });
    await using browser = await startBrowser();
    const { page, shows, signIn, faults } = await browser.open(
      `${grid.url}/ui/keys`,
    );
    await signIn(BOOTSTRAP_KEY);
    await page.waitForSelector(".heading a.button");
    await page.focus(".heading a.button");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".schema-form");
    // From the start of the page: the heading of the group, then its fields.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Tab");
    await page.keyboard.type("metrics");
    await page.keyboard.press("Tab");
    await page.keyboard.type("5");
    await page.keyboard.press("Enter");
    await shows("h1", /Key by keyboard/);
    const { body: { items: [created] } } = await grid.admin.call(
      "GET",
      "/keys",
    );
    assert.deepEqual([created.name, created.role], ["by keyboard", "metrics"]);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "the first admin key, which makes keys required, stays shown, and its visitor is signed in with it",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(`${grid.url}/ui/keys`);
    await shows(".empty", /first admin key ends this/);
    await press(page, "Create key");
    await fill(page, "name", "operations");
    await choose(page, "role", "admin");
    await submit(page);
    await shows(".secret-once", /bg_/);
    await shows(".menu summary", /^bg_/);
    const { status } = await grid.request("/v1/sessions");
    assert.equal(status, 401);
    await shows(".connection", /^Live$/);
    await page.locator("main ::-p-text(All keys)").click();
    await shows("td", /your sign-in/);
    assert.deepEqual(faults, []);
  },
});
