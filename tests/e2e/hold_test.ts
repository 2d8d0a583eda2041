/**
 * Real clients that are held while a person, another client of the browser itself, goes on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { findBrowser } from "../../src/providers/local/find_browser.ts";
import { createApiClient } from "../support/api.ts";
import { type CdpClient, cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import { testGrid } from "../support/grid.ts";
import { startNode } from "../support/node_process.ts";

/** Waits until an action is held, and then until it is not. Prints the error and the result. */
const WAIT = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  async function untilHeld(act) {
    for (;;) {
      try { await act(); } catch (error) { return error.message; }
      await sleep(20);
    }
  }
  async function untilReleased(act) {
    for (;;) {
      try { return await act(); } catch { await sleep(50); }
    }
  }
  async function run(page, site, countPages) {
    await page.goto(site + "/start");
    console.log("ready");
    await untilHeld(() => page.evaluate("1"));
    // Playwright replaces the message of an error of evaluate().
    const held = await untilHeld(() => page.reload());
    console.log(held.replaceAll("\\n", " "));
    // An evaluation that fails leaves Playwright without its helpers in that document.
    await untilReleased(() => page.bringToFront());
    const title = await page.evaluate("document.title");
    console.log(title + ", " + countPages() + " pages");
    await page.goto(site + "/start");
    console.log(await page.title());
  }
`;

const CLIENTS = {
  Puppeteer: `
    import puppeteer from "puppeteer-core";
    ${WAIT}
    const [, url, site] = process.argv;
    const browser = await puppeteer.connect({ browserWSEndpoint: url });
    const [page] = await browser.pages();
    await page.setRequestInterception(true);
    page.on("request", (request) => void request.continue().catch(() => {}));
    let pages = 1;
    browser.on("targetcreated", (target) => {
      if (target.type() === "page") pages++;
    });
    await run(page, site, () => pages);
    await browser.disconnect();`,
  Playwright: `
    import { chromium } from "playwright-core";
    ${WAIT}
    const [, url, site] = process.argv;
    const browser = await chromium.connectOverCDP(url);
    const [context] = browser.contexts();
    await context.route("**/*", (route) => void route.continue().catch(() => {}));
    const [page] = context.pages();
    await run(page, site, () => context.pages().length);
    await browser.close();`,
};

const PAGES: Readonly<Record<string, string>> = {
  "/start": `<title>start</title>
    <button style="position: fixed; inset: 0 50% 50% 0"
      onclick="window.open('/popup')">popup</button>
    <a style="position: fixed; inset: 50% 0 0 50%" href="/done">next</a>`,
  "/popup": "<title>popup</title>",
  "/done": "<title>done</title>",
  "/data": "data",
};

async function startSite(): Promise<
  AsyncDisposable & { readonly url: string }
> {
  const server = createServer(({ url = "" }, response) => {
    response.setHeader("content-type", "text/html");
    response.end(PAGES[url] ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Starts a browser. Disposal ends it. */
async function startBrowser() {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  // Processes of the browser may still write to it.
  stack.defer(() =>
    eventually("the folder is removed", async () => {
      await Deno.remove(folder, { recursive: true });
      return true;
    }).then(() => {})
  );
  const found = await findBrowser(undefined);
  const child = new Deno.Command(found?.path ?? "", {
    args: [
      ...["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"],
      ...["--remote-debugging-port=0", `--user-data-dir=${folder}`],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  const [port, path] = await eventually("the browser listens", async () => {
    const text = await Deno.readTextFile(`${folder}/DevToolsActivePort`);
    return text.includes("/") ? text.trim().split("\n") : undefined;
  });
  const endpoint = `ws://127.0.0.1:${port}${path}`;
  const owned = stack.move();
  return {
    endpoint,
    /** Connects a person to the page at `url`. */
    async person(url: string): Promise<CdpClient> {
      const list = new URL(endpoint.replace("ws", "http"));
      const target = await eventually(`a page is at ${url}`, async () => {
        const response = await fetch(new URL("/json/list", list));
        const targets: { url: string; webSocketDebuggerUrl: string }[] =
          await response.json();
        return targets.find((each) => each.url === url);
      });
      return await cdpClient(target.webSocketDebuggerUrl);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function click(person: CdpClient, x: number, y: number): Promise<void> {
  for (const type of ["mousePressed", "mouseReleased"]) {
    await person.call("Input.dispatchMouseEvent", {
      type,
      x,
      y,
      button: "left",
      clickCount: 1,
    });
  }
}

for (const [name, source] of Object.entries(CLIENTS)) {
  Deno.test(`a ${name} program that intercepts requests is held while a person opens a popup and goes on, neither of which freezes, and then continues`, async () => {
    await using site = await startSite();
    await using browser = await startBrowser();
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    await api.pool();
    const { claimed: { id } } = await api.running({}, browser.endpoint);
    const url = `${grid.url.replace("http", "ws")}/v1/sessions/${id}/cdp`;
    await using program = await startNode(source, [url, site.url]);
    assert.equal(await program.line(), "ready");
    const { status, body } = await api.call(
      "POST",
      `/sessions/${id}/handover`,
      { reason: "sign in", hold: true },
    );
    assert.equal(status, 201);
    const held = await program.line();
    assert.ok(held.includes("held: a person controls the browser"), held);
    assert.ok(held.includes(body.id), held);
    await using person = await browser.person(`${site.url}/start`);
    const { height, width } = await person.evaluate(
      "({ width: innerWidth, height: innerHeight })",
    ) as { width: number; height: number }; // As the expression says.
    await click(person, width / 4, height / 4);
    await using popup = await browser.person(`${site.url}/popup`);
    await eventually(
      "the popup is loaded",
      async () => await popup.evaluate("document.title") === "popup",
    );
    const data = "fetch('/data').then((response) => response.text())";
    assert.equal(await person.evaluate(data), "data");
    await click(person, width * 3 / 4, height * 3 / 4);
    await eventually(
      "the page is left",
      async () => await person.evaluate("document.title") === "done",
    );
    const ended = await api.call("DELETE", `/sessions/${id}/handover`);
    assert.equal(ended.status, 200);
    assert.equal(await program.line(), "done, 2 pages");
    assert.equal(await program.line(), "start");
    assert.equal(await program.errors, "");
  });
}
