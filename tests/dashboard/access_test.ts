import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../support/keys.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "the dashboard shows nothing without sign-in, explains a wrong key, stays signed in over a reload, and forgets everything at sign-out",
  ignore,
  async fn() {
    await using grid = await keyedGrid({ listen: true });
    await grid.admin.pool({ name: "hidden-pool" });
    await using browser = await startBrowser();
    const { page, shows, signIn, faults } = await browser.open(
      `${grid.url}/ui/pools`,
    );
    await shows("label", /API key/);
    assert.equal(
      await page.$eval("input[name=key]", ({ autocomplete }) => autocomplete),
      "off",
    );
    await page.type("input[name=key]", "wrong-key-0123456789");
    await page.click("button[type=submit]");
    await shows("[role=alert]", /does not know this key/);
    assert.ok(!(await page.content()).includes("hidden-pool"));
    await page.$eval("input[name=key]", (input) => input.select());
    await signIn(BOOTSTRAP_KEY);
    await shows("td", /hidden-pool/);
    await page.reload();
    await shows("td", /hidden-pool/);
    const stored = await page.evaluate(() =>
      JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie
    );
    assert.equal(stored, "{}");
    await page.click(".menu summary");
    await page.click(".menu-list button");
    await shows("form [role=status]", /have signed out/);
    assert.ok(!(await page.content()).includes("hidden-pool"));
    await page.goto(`${grid.url}/ui/pools`);
    await shows("label", /API key/);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a client sees its own sessions, and no pools and workers; a revoked key ends its sign-in",
  ignore,
  async fn() {
    await using grid = await keyedGrid({ listen: true });
    await grid.admin.pool();
    const key = await grid.key({ role: "client", name: "one" });
    const own = await grid.as(key.key).session({ labels: { mine: "yes" } });
    const other = await grid.admin.session({ labels: { mine: "no" } });
    await using browser = await startBrowser();
    const { page, shows, signIn, faults } = await browser.open(
      `${grid.url}/ui/sessions`,
    );
    await signIn(key.key);
    await shows(".label", /mine=yes/);
    const text = await page.$eval("body", (body) => body.textContent ?? "");
    assert.ok(!text.includes("mine=no"), text);
    assert.ok(!/Pools|Workers/.test(text), text);
    await page.goto(`${grid.url}/ui/workers`);
    await shows("h1", /No such page/);
    await page.goto(`${grid.url}/`);
    await shows(".tiles a", /Pending1/);
    await page.goto(`${grid.url}/ui/sessions/${other.id}`);
    await shows("[role=alert]", /no such session|not found|Cannot find/i);
    await page.goto(`${grid.url}/ui/sessions/${own.id}`);
    await shows("h1", /Session pending/);
    const revoked = await createApiClient(grid, {
      "x-api-key": BOOTSTRAP_KEY,
    }).call("DELETE", `/keys/${key.id}`);
    assert.equal(revoked.status, 204, revoked.text);
    await page.goto(`${grid.url}/ui/sessions`);
    await shows("label", /API key/);
    assert.deepEqual(faults, []);
  },
});
