import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Page } from "puppeteer-core";
import { z } from "zod";
import { BOOTSTRAP_KEY, keyedGrid } from "../support/keys.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";
import { fillGrid } from "./realistic_grid.ts";

const AXE = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));

/** The members of axe's result that are read. */
const resultSchema = z.array(z.object({
  id: z.string(),
  impact: z.string(),
  nodes: z.array(z.object({ html: z.string() })),
}));

/** Each size with one of the schemes: colours do not depend on the size. */
const VIEWS = [
  { width: 1280, height: 900, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
];

Deno.test({
  name:
    "no page of the dashboard has an accessibility fault of level serious or critical, light and wide or dark and narrow",
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
    const axe = await Deno.readTextFile(AXE);
    const found: string[] = [];
    async function check(): Promise<void> {
      for (const { scheme, ...size } of VIEWS) {
        await page.setViewport(size);
        await page.emulateMediaFeatures([
          { name: "prefers-color-scheme", value: scheme },
        ]);
        found.push(...await findFaults(page, axe, scheme));
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

/** Returns the violations of the page as it is now. The library is run through CDP, which the page's policy permits. */
async function findFaults(
  page: Page,
  axe: string,
  scheme: string,
): Promise<readonly string[]> {
  await page.evaluate(axe);
  const violations = resultSchema.parse(
    await page.evaluate("axe.run().then(({ violations }) => violations)"),
  );
  return violations.filter(({ impact }) =>
    impact === "serious" || impact === "critical"
  ).map(({ id, nodes }) =>
    `${page.url()} ${scheme} ${id}: ${nodes.map(({ html }) => html).join(" ")}`
  );
}
