import puppeteer, { type Page } from "puppeteer-core";
import { requireBrowser } from "./bench_grid.ts";

/** A browser that shows a live view, in control of it. */
export interface ViewingPage extends AsyncDisposable {
  readonly page: Page;
}

/** Opens the page of a link at 1280 x 720, takes control, and waits for a picture. */
export async function openViewingPage(url: string): Promise<ViewingPage> {
  const browser = await puppeteer.launch({
    executablePath: await requireBrowser(),
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1_280, height: 720 });
  await page.goto(url);
  await page.waitForFunction(() =>
    (document.querySelector("canvas")?.width ?? 0) > 100
  );
  await page.locator("::-p-text(Take control)").click();
  await page.locator("::-p-text(Give back)").wait();
  return { page, [Symbol.asyncDispose]: () => browser.close() };
}
