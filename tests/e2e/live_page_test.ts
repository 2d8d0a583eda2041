import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { findFaults } from "../dashboard/find_faults.ts";
import {
  type DashboardPage,
  hasBrowser,
  startBrowser,
} from "../dashboard/page_scene.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { browserGrid } from "./browser_grid.ts";

const ignore = !hasBrowser();

/** A page whose title says what was done to it. Its parts are 30 px high, and 50 px apart. */
const PAGE = `<title>still</title><style>
  html { background: #00ff00 }
  body { margin: 0; height: 3000px }
  input, select, button, div {
    position: absolute; left: 0; width: 200px; height: 30px }</style>
<button style="top: 0" onclick="document.title = 'clicked'"
  oncontextmenu="document.title = 'menu'">click</button>
<input style="top: 50px" oninput="document.title = 'typed ' + value">
<select style="top: 100px" onchange="document.title = 'chose ' + value + ' ' + event.isTrusted">
  <option>a<option>b<option disabled>c<option>d</select>
<button style="top: 150px" onclick="alert('hello'); document.title = 'alerted'">alert</button>
<button style="top: 200px" onclick="document.title = 'confirmed ' + confirm('sure?')">confirm</button>
<button style="top: 250px" onclick="document.title = 'asked ' + prompt('name?', 'x')">prompt</button>
<input type="file" multiple accept=".txt" style="top: 300px"
  onchange="(async () => document.title = 'files ' +
    (await Promise.all([...files].map(async (f) => f.name + '=' + await f.text()))).join())()">
<div id="from" draggable="true" style="top: 350px">drag</div>
<div style="top: 400px" ondragover="event.preventDefault(); document.title = 'over'"
  ondrop="document.title = 'dropped'">drop</div>
<script>onscroll = () => document.title = 'scrolled'</script>`;

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const grid = stack.use(await browserGrid("local"));
  const { client } = grid;
  const session = await client.createSession({}, { waitSeconds: 60 });
  const [target] = await client.listSessionTargets(session.id);
  const page = stack.use(
    await cdpClient(String(target?.["webSocketDebuggerUrl"])),
  );
  await page.call("Page.navigate", {
    url: `data:text/html,${encodeURIComponent(PAGE)}`,
  });
  const size = await eventually("the page has loaded", async () => {
    const state = "document.title === 'still' && [innerWidth, innerHeight]";
    const value = await page.evaluate(state);
    return Array.isArray(value) && value.map(Number);
  });
  const browser = stack.use(await startBrowser());
  const owned = stack.move();
  return {
    client,
    browser,
    id: session.id,
    /** Address of the live view in the dashboard. */
    url: String(session.live_url),
    /** Waits until the page of the session has the title. */
    hasTitle: (title: string) =>
      eventually(
        `the title is "${title}"`,
        async () => await page.evaluate("document.title") === title,
      ),
    /** Returns the place of a point of the session's page in a visitor's window. */
    async locate(visitor: Page, x: number, y: number) {
      const [width = 1, height = 1] = size;
      const box = await visitor.$eval("canvas", (canvas) => {
        const { left, top, width, height } = canvas.getBoundingClientRect();
        return { left, top, width, height };
      });
      return {
        x: box.left + x / width * box.width,
        y: box.top + y / height * box.height,
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits until the picture of the page is drawn. */
async function awaitPicture({ page }: DashboardPage): Promise<void> {
  await page.waitForFunction(
    () => {
      const canvas = document.querySelector("canvas");
      if (!canvas || canvas.width < 2) return false;
      const { width, height } = canvas;
      const middle = [width >> 1, height >> 1, 1, 1] as const;
      const [red = 255, green = 0] = canvas.getContext("2d")
        ?.getImageData(...middle).data ?? [];
      return red < 20 && green > 235;
    },
    { timeout: 15_000, polling: 50 },
  );
}

async function takeControl({ page }: DashboardPage): Promise<void> {
  await page.locator(".live-controls button.primary").click();
  await page.waitForFunction(() =>
    document.activeElement?.className === "live-keyboard"
  );
}

Deno.test({
  name:
    "in the dashboard, a click, a text, a wheel, a list, dialogs, files and a drag in the live view change the page in the session",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const scene = stack.use(await setUp());
    const { path } = stack.use(await temporaryFolder());
    const visitor = await scene.browser.open(scene.url);
    const { page, shows, faults } = visitor;
    const { hasTitle } = scene;
    async function click(y: number, button: "left" | "right" = "left") {
      const place = await scene.locate(page, 50, y);
      await page.mouse.click(place.x, place.y, { button });
    }
    await awaitPicture(visitor);
    await takeControl(visitor);
    await awaitPicture(visitor);

    await click(15);
    await hasTitle("clicked");
    await click(15, "right");
    await hasTitle("menu");

    await click(65);
    await page.keyboard.type("Hello, W");
    await page.keyboard.sendCharacter("\u6f22");
    await hasTitle("typed Hello, W\u6f22");
    await page.keyboard.press("Backspace");
    await hasTitle("typed Hello, W");

    await click(115);
    await shows("[role=option]", /^d$/);
    await page.locator("[role=option]:nth-child(4)").click();
    await hasTitle("chose d true");

    await click(165);
    await shows("dialog[open]", /hello/);
    await page.keyboard.press("Enter");
    await hasTitle("alerted");
    await click(215);
    await shows("dialog[open]", /sure\?/);
    await page.keyboard.press("Escape");
    await hasTitle("confirmed false");
    await click(265);
    await shows("dialog[open]", /name\?/);
    await page.$eval("input[name=prompt]", (input) => input.select());
    await page.keyboard.type("Ada\n");
    await hasTitle("asked Ada");

    const files = ["a.txt", "b.txt"].map((name) => `${path}/${name}`);
    for (const file of files) await Deno.writeTextFile(file, "hi");
    await click(315);
    const input = await page.waitForSelector("dialog[open] input[type=file]");
    await input?.uploadFile(...files);
    await page.locator("dialog[open] button.primary").click();
    await hasTitle("files a.txt=hi,b.txt=hi");

    await drag(scene, page);
    await hasTitle("dropped");

    await page.mouse.wheel({ deltaY: 400 });
    await hasTitle("scrolled");
    assert.deepEqual(await findFaults(page, "light"), []);
    assert.deepEqual(faults, []);
  },
});

/** Drags the element to the place of the drop, and waits for each step: browsers merge moves of one moment. */
async function drag(
  { locate, hasTitle }: Pick<
    Awaited<ReturnType<typeof setUp>>,
    "locate" | "hasTitle"
  >,
  page: Page,
): Promise<void> {
  const from = await locate(page, 50, 365);
  const to = await locate(page, 50, 415);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x, from.y + 10, { steps: 5 });
  let isOver = false;
  const over = hasTitle("over").then(() => isOver = true);
  for (let count = 0; !isOver && count < 500; count++) {
    await page.mouse.move(to.x + count % 3, to.y, { steps: 3 });
  }
  await over;
  await page.mouse.up();
}

Deno.test({
  name:
    "two people see a still page at once, one by a link, which goes dark within a second of its revocation",
  ignore,
  async fn() {
    await using scene = await setUp();
    const { client, id, browser, url } = scene;
    const link = await client.createLiveLink(id, { mode: "view" });
    const [person, owner] = await Promise.all([
      browser.open(link.url),
      browser.open(url),
    ]);
    await Promise.all([awaitPicture(person), awaitPicture(owner)]);
    await person.shows(".live-state", /2 viewers/);
    assert.equal(await person.page.$(".live-controls"), null);
    await takeControl(owner);
    await person.shows(".live-control", /Another person/);
    await client.revokeLiveLink(id, link.id);
    const revokedAt = performance.now();
    await person.page.waitForFunction(
      () => document.querySelector("canvas")?.width === 1,
      { polling: 20 },
    );
    const darkAfter = performance.now() - revokedAt;
    assert.ok(darkAfter < 1_000, `${darkAfter} ms`);
    await person.shows("[role=alert]", /This link was revoked/);
    await owner.shows(".live-state", /1 viewer/);
    await person.page.reload();
    await person.shows("[role=alert]", /Cannot connect.*no longer valid/);
    await client.stopSession(id);
    await owner.shows("[role=alert]", /The session has ended/);
    assert.deepEqual(owner.faults, []);
  },
});

Deno.test({
  name:
    "a person who is asked for help acts in the page, says that it is done, and is thanked, on a phone",
  ignore,
  async fn() {
    await using scene = await setUp();
    const { client, id, browser, hasTitle } = scene;
    const { live_url } = await client.requestHandover(id, {
      reason: "Type the code of the message",
    });
    const visitor = await browser.open(String(live_url));
    const { page, shows, faults } = visitor;
    await page.setViewport({ width: 390, height: 844 });
    await awaitPicture(visitor);
    await shows(".live-handover", /Type the code of the message.*left/);
    await takeControl(visitor);
    const place = await scene.locate(page, 50, 65);
    await page.touchscreen.tap(place.x, place.y);
    await page.keyboard.type("1234");
    await hasTitle("typed 1234");
    const ended = client.waitForHandover(id);
    await page.locator(".live-handover ::-p-text(Done)").click();
    assert.equal((await ended).status, "done");
    await shows("[role=alert]", /Thank you/);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a session's page opens the view on demand and closes it, without a viewer before and after",
  ignore,
  async fn() {
    await using scene = await setUp();
    const visitor = await scene.browser.open(scene.url.replace("/live", ""));
    const { page, shows, faults } = visitor;
    await shows(".live-closed", /take control/);
    assert.equal(await page.$(".live-stage"), null);
    await page.locator(".live-closed button").click();
    await awaitPicture(visitor);
    await shows(".live-state", /1 viewer$/);
    await takeControl(visitor);
    const place = await scene.locate(page, 50, 15);
    await page.mouse.click(place.x, place.y);
    await scene.hasTitle("clicked");
    const other = await scene.browser.open(scene.url);
    await other.shows(".live-state", /2 viewers/);
    await page.locator(".panel header ::-p-text(Close)").click();
    await other.shows(".live-state", /program has control.*1 viewer/);
    assert.deepEqual(faults, []);
  },
});
