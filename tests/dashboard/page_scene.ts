import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { findBrowser } from "../../src/providers/local/find_browser.ts";

const found = await findBrowser(undefined);

/** A page of the dashboard in a real browser, with what it did wrong. */
export interface DashboardPage {
  readonly page: Page;
  /** Errors, violations of the Content-Security-Policy and requests of another origin, so far. */
  readonly faults: readonly string[];
  /** Waits until an element's text matches. */
  shows(selector: string, pattern: RegExp): Promise<void>;
  /** Signs in with a key. */
  signIn(key: string): Promise<void>;
}

/** A browser with pages of its own. */
export interface DashboardBrowser extends AsyncDisposable {
  open(url: string): Promise<DashboardPage>;
}

/** True if this machine has a browser. Prints the reason if a test is skipped. */
export function hasBrowser(): boolean {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  if (!found) console.log("skipped: the dashboard in a browser: there is none");
  return found !== undefined;
}

/** Starts a browser. */
export async function startBrowser(): Promise<DashboardBrowser> {
  const browser = await puppeteer.launch({
    executablePath: found?.path ?? "",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  return {
    open: (url) => openPage(browser, url),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function openPage(
  browser: Browser,
  url: string,
): Promise<DashboardPage> {
  // Pages of one context share their cookies.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const faults: string[] = [];
  watch(page, new URL(url).origin, faults);
  await page.goto(url);
  async function shows(selector: string, pattern: RegExp): Promise<void> {
    try {
      await page.waitForFunction(
        (selector: string, source: string) =>
          [...document.querySelectorAll(selector)].some(({ textContent }) =>
            new RegExp(source).test(textContent ?? "")
          ),
        { timeout: 15_000 },
        selector,
        pattern.source,
      );
    } catch (cause) {
      const text = await page.$eval("body", (body) => body.innerText);
      throw new Error(`No "${selector}" shows ${pattern}, but: ${text}`, {
        cause,
      });
    }
  }
  return {
    page,
    faults,
    shows,
    async signIn(key) {
      await page.waitForSelector("input[name=key]");
      await page.type("input[name=key]", key);
      await page.click("button[type=submit]");
      await page.waitForSelector("header.top");
    },
  };
}

function watch(page: Page, origin: string, faults: string[]): void {
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) {
      faults.push(`request to ${url}`);
    }
  });
  page.on("pageerror", (error) => void faults.push(String(error)));
  page.on("console", (message) => {
    // The browser reports violations of the Content-Security-Policy as errors.
    const isFailedRequest = message.text().startsWith("Failed to load");
    if (message.type() === "error" && !isFailedRequest) {
      faults.push(message.text());
    }
  });
}
