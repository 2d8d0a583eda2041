/**
 * Takes a screenshot of each page of the dashboard, light and dark, on a screen and on a phone:
 * `deno task screenshots`, with the folder as an argument.
 *
 * @module
 */
import type { Page } from "puppeteer-core";
import { BOOTSTRAP_KEY, keyedGrid } from "../support/keys.ts";
import { testGrid } from "../support/grid.ts";
import { startBrowser } from "./page_scene.ts";
import { captureStates } from "./live_view/capture_states.ts";
import { fillGrid } from "./realistic_grid.ts";

const SIZES = [
  { name: "1280", width: 1280, height: 900 },
  { name: "390", width: 390, height: 844 },
];

const SCHEMES = ["light", "dark"];

const folder = Deno.args[0] ?? "dist/screenshots";
await Deno.mkdir(folder, { recursive: true });
await using browser = await startBrowser();
await using grid = await keyedGrid({
  listen: true,
  settings: { lease_seconds: 600 },
});
const ids = await fillGrid(grid, {
  headers: { "x-api-key": BOOTSTRAP_KEY },
  ended: 72,
});
const { page, signIn } = await browser.open(`${grid.url}/`);
await page.waitForSelector("input[name=key]");
await capture(page, "sign-in");
await signIn(BOOTSTRAP_KEY);
const pages = {
  overview: "/",
  sessions: "/ui/sessions",
  "sessions-none": "/ui/sessions?label=team%3Dnone",
  "session-running": `/ui/sessions/${ids.running}`,
  "session-pending": `/ui/sessions/${ids.pending}`,
  "session-failed": `/ui/sessions/${ids.failed}`,
  pools: "/ui/pools",
  pool: `/ui/pools/${ids.pool}`,
  "pool-failing": `/ui/pools/${ids.failing}`,
  workers: "/ui/workers",
  worker: `/ui/workers/${ids.worker}`,
  "pool-new": "/ui/pools/new",
  "pool-edit": `/ui/pools/${ids.pool}/edit`,
  keys: "/ui/keys",
  "key-new": "/ui/keys/new",
  webhooks: "/ui/webhooks",
  webhook: `/ui/webhooks/${ids.webhook}`,
  "webhook-new": "/ui/webhooks/new",
  "webhook-edit": `/ui/webhooks/${ids.webhook}/edit`,
};
for (const [name, path] of Object.entries(pages)) {
  await page.goto(grid.url + path);
  await page.waitForSelector(".connection.live");
  await settle(page);
  await capture(page, name);
}
await page.goto(`${grid.url}/ui/sessions/${ids.running}`);
await page.waitForSelector("button.danger");
await page.click("button.danger");
await capture(page, "stop-dialog");
await page.goto(`${grid.url}/ui/keys/new`);
await page.waitForSelector("input[name=name]");
await page.type("input[name=name]", "nightly crawl");
await page.click("button[type=submit]");
await page.waitForSelector(".secret-once");
await capture(page, "key-created");
await page.goto(`${grid.url}/ui/pools/new`);
await page.waitForSelector("select[name=provider_type]");
await page.select("select[name=provider_type]", "azure_container_instance");
await page.type("input[name=name]", "crawlers");
await page.click("button[type=submit]");
await page.waitForSelector(".field-error");
await capture(page, "pool-new-faults");
await using unused = await testGrid({ listen: true });
const { page: empty } = await browser.open(`${unused.url}/`);
await empty.waitForSelector(".connection.live");
await settle(empty);
await capture(empty, "overview-empty");

await captureStates(capture);

/** Waits until everything is loaded. The streams of events and of output stay open. */
async function settle(page: Page): Promise<void> {
  await page.waitForNetworkIdle({ concurrency: 2, idleTime: 200 });
  await page.waitForFunction(() => !document.querySelector(".loading"));
}

async function capture(page: Page, name: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewport(size);
    for (const value of SCHEMES) {
      await page.emulateMediaFeatures([{
        name: "prefers-color-scheme",
        value,
      }]);
      await settle(page);
      const path = `${folder}/${name}-${size.name}-${value}.png` as const;
      await page.screenshot({ path, fullPage: true });
    }
  }
}
