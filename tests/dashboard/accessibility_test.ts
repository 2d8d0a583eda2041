import assert from "node:assert/strict";
import { BOOTSTRAP_KEY, keyedGrid } from "../support/keys.ts";
import { findFaults } from "./find_faults.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";
import { fillGrid } from "./realistic_grid.ts";

/** Each size with one of the schemes: colours do not depend on the size. */
const VIEWS = [
  { width: 1280, height: 900, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
];

Deno.test({
  name:
    "no page of the dashboard has an accessibility fault of level serious or critical or scrolls sideways, light and wide or dark and narrow",
  ignore: !hasBrowser(),
  async fn() {
    await using grid = await keyedGrid({
      listen: true,
      settings: { lease_seconds: 600 },
    });
    const ids = await fillGrid(grid, {
      headers: { "x-api-key": BOOTSTRAP_KEY },
      ended: 9,
    });
    await using browser = await startBrowser();
    const { page, signIn, shows } = await browser.open(`${grid.url}/`);
    const found: string[] = [];
    async function check(): Promise<void> {
      for (const { scheme, ...size } of VIEWS) {
        await page.setViewport(size);
        await page.emulateMediaFeatures([
          { name: "prefers-color-scheme", value: scheme },
        ]);
        found.push(...await findFaults(page, scheme));
        const width = await page.evaluate(() =>
          document.documentElement.scrollWidth
        );
        if (width > size.width) {
          found.push(`${page.url()} is ${width} wide at ${size.width}`);
        }
      }
    }
    await page.waitForSelector("input[name=key]");
    await check();
    await signIn(BOOTSTRAP_KEY);
    for (
      const path of [
        "/",
        "/ui/sessions",
        "/ui/sessions?label=none=none",
        `/ui/sessions/${ids.running}`,
        `/ui/sessions/${ids.failed}`,
        `/ui/pools/${ids.pool}`,
        `/ui/pools/${ids.failing}`,
        `/ui/workers/${ids.worker}`,
        "/ui/pools/new",
        `/ui/pools/${ids.pool}/edit`,
        "/ui/keys",
        "/ui/keys/new",
        "/ui/webhooks",
        `/ui/webhooks/${ids.webhook}`,
        "/ui/webhooks/new",
        `/ui/webhooks/${ids.webhook}/edit`,
        "/ui/nowhere",
      ]
    ) {
      await page.goto(grid.url + path);
      await shows(".connection", /^Live$/);
      await page.waitForFunction(() => !document.querySelector(".loading"));
      await page.$$eval("details:not(.menu)", (all) => {
        for (const each of all) each.open = true;
      });
      await check();
    }
    await page.goto(`${grid.url}/ui/pools/new`);
    await page.waitForSelector("button[type=submit]");
    await page.click("button[type=submit]");
    await page.waitForSelector("[aria-invalid]");
    await check();
    await page.goto(`${grid.url}/ui/sessions/${ids.running}`);
    await page.waitForSelector(".heading button.danger");
    await page.click(".heading button.danger");
    await check();
    assert.deepEqual(found, []);
  },
});
