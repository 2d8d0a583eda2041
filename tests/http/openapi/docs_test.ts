import assert from "node:assert/strict";
import puppeteer, { type Page } from "puppeteer-core";
import { findBrowser } from "../../../src/providers/local/find_browser.ts";
import { describedApi } from "../../support/api_document.ts";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const KEY = "key-of-the-page-0123456789";

const browser = await findBrowser(undefined);

Deno.test("/docs and its files need no key, and are loaded only by requests", async () => {
  await using grid = await testGrid({ settings: { api_key: KEY } });
  const page = await grid.request("/docs");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /default-src 'none'; script-src 'self';/,
  );
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)];
  assert.equal(files.length, 3);
  for (const [, path = ""] of files) {
    const file = await grid.request(`/${path}`);
    assert.equal(file.status, 200, path);
    assert.match(file.headers.get("content-type") ?? "", /javascript|css/);
    await file.body?.cancel();
  }
  assert.equal((await grid.request("/docs/")).status, 302);
  assert.equal((await grid.request("/docs/page.html")).status, 401);
});

Deno.test({
  name:
    "/docs lists every operation in a real browser, sends a request with a key, and asks no other host",
  ignore: !isThere(),
  async fn() {
    await using grid = await testGrid({
      listen: true,
      settings: { api_key: KEY },
    });
    await createApiClient(grid, { "x-api-key": KEY }).pool({
      name: "shown-on-the-page",
    });
    const { operations } = await describedApi(grid);
    const chrome = await puppeteer.launch({
      executablePath: browser?.path ?? "",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    await using _closed = {
      [Symbol.asyncDispose]: () => chrome.close(),
    };
    const page = await chrome.newPage();
    await page.setViewport({ width: 1200, height: 900 });
    const seen = watch(page);
    await page.goto(`${grid.url}/docs`);
    await page.waitForSelector(".opblock");
    const shown = await page.$$eval(
      ".opblock-summary-path",
      (all) => all.map((each) => each.textContent?.replaceAll("\u200b", "")),
    );
    assert.deepEqual(
      shown.toSorted(),
      operations.map(({ path }) => path).toSorted(),
    );
    await authorise(page);
    const answered = await tryOut(page, "listPools");
    assert.match(answered, /shown-on-the-page/);
    assert.deepEqual(seen.faults, []);
    const origins = new Set(
      seen.urls.filter((url) => !url.startsWith("data:")).map((url) =>
        new URL(url).origin
      ),
    );
    assert.deepEqual([...origins], [grid.url]);
  },
});

function isThere(): boolean {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  if (!browser) console.log("skipped: the page in a browser: there is none");
  return browser !== undefined;
}

/** Records the requests and errors of the page. */
function watch(
  page: Page,
): { readonly urls: readonly string[]; readonly faults: readonly string[] } {
  const urls: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => void urls.push(request.url()));
  page.on("pageerror", (error) => void faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  return { urls, faults };
}

async function authorise(page: Page): Promise<void> {
  await page.click(".btn.authorize");
  await page.type(".auth-container input[type=text]", KEY);
  await page.click(".auth-btn-wrapper .authorize");
  await page.click(".auth-btn-wrapper .btn-done");
}

/** Sends the request of an operation unchanged, and returns the displayed response. */
async function tryOut(page: Page, id: string): Promise<string> {
  const block = `[id$="-${id}"]`;
  await page.click(`${block} .opblock-summary-control`);
  await page.waitForSelector(`${block} .execute`);
  await page.click(`${block} .execute`);
  const body = `${block} .live-responses-table .highlight-code`;
  await page.waitForSelector(body);
  return await page.$eval(body, (shown) => shown.textContent ?? "");
}
