import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { local } from "../../src/providers/local/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import { type KeyedGrid, keyedGrid } from "../support/keys.ts";
import { installClients, runNode } from "../support/node_client.ts";
import { rawClient } from "../support/raw_client.ts";

/** 3000 pixels high, red above, with a worker; its title has what the page sees of sizes and focus. */
const PAGE = `data:text/html,${
  encodeURIComponent(`<!DOCTYPE html><title>First</title>
<body style="margin:0;height:3000px;background:linear-gradient(red,blue)">
<h1>Made by a script: </h1><script>
document.querySelector("h1").append(6 * 7);
worker = new Worker(URL.createObjectURL(new Blob(["onmessage = () => 0"])));
</script>`)
}`;

const SECOND = "data:text/html,<title>Second</title>";

/** A browser of this machine, as a session of a grid that asks for keys. */
interface Scene extends AsyncDisposable {
  readonly grid: KeyedGrid;
  readonly client: GridClient;
  readonly id: string;
  readonly connectUrl: string;
  /** At the browser itself. */
  readonly browserPath: string;
}

async function realScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const grid = stack.use(await keyedGrid({ listen: true }));
  const host = stack.use(
    await local.open(local.configSchema.parse({}), {
      gridId: "grid-1",
      workerId: "worker-1",
      dataDir: grid.dataDir,
    }),
  );
  const never = new AbortController().signal;
  const browser = await host.start(browserSpec({}), "session-1", never);
  stack.defer(() => browser.stop(2_000));
  await grid.admin.pool();
  const { claimed } = await grid.admin.running(
    { max_connections: 10 },
    browser.endpoint.href,
  );
  const { key } = await grid.key({ role: "admin" });
  const client = createClient({ apiUrl: grid.url, apiKey: key });
  const { connect_url } = await client.getSession(claimed.id);
  const owned = stack.move();
  return {
    grid,
    client,
    id: claimed.id,
    connectUrl: connect_url,
    browserPath: browser.endpoint.pathname,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Width and height of a PNG. @see {@link https://www.w3.org/TR/png/#11IHDR PNG, 11.2.2} */
function readPngSize(png: Uint8Array<ArrayBuffer>): readonly [number, number] {
  const text = new TextDecoder("latin1").decode(png.subarray(1, 4));
  assert.equal(text, "PNG");
  const view = new DataView(png.buffer);
  return [view.getUint32(16), view.getUint32(20)];
}

/** Size and focus of a page, as its scripts read them. */
const STATE =
  "[innerWidth, innerHeight, document.hasFocus(), document.visibilityState].join()";

Deno.test("pages of a real browser are found, attached, captured and closed through the gateway", async (t) => {
  await using scene = await realScene();
  const { client, id, connectUrl, browserPath } = scene;
  const open = async (url: string) => {
    const opened = await client.openTarget(id, url);
    return {
      targetId: String(opened["id"]),
      socketUrl: String(opened["webSocketDebuggerUrl"]),
    };
  };
  const targets = async () => await client.listSessionTargets(id);
  const isGone = (targetId: string) =>
    eventually(
      "the page is gone",
      async () => (await targets()).every((each) => each["id"] !== targetId),
    );
  const first = await open(PAGE);
  await using page = await cdpClient(first.socketUrl);
  await eventually(
    "the page is loaded",
    async () =>
      await page.evaluate("document.title + document.readyState") ===
        "Firstcomplete",
  );

  await t.step("a page's socket leads to that page", async () => {
    assert.equal(await page.evaluate("document.title"), "First");
  });

  await t.step(
    "workers are listed with sockets of their own, which open",
    async () => {
      const worker = (await targets()).find(({ type }) => type === "worker");
      assert.ok(worker);
      const url = String(worker["webSocketDebuggerUrl"]);
      using attached = await rawClient(url);
      assert.match(attached.head, /^HTTP\/1.1 101 /);
    },
  );

  await t.step(
    "the browser has a socket by its own id, and those of what is not there are refused with 404",
    async () => {
      const { search } = new URL(connectUrl);
      for (
        const [path, status] of [
          [browserPath, 101],
          ["/devtools/page/00000000", 404],
          ["/devtools/browser/00000000", 404],
        ] as const
      ) {
        const url = connectUrl.replace(search, path + search);
        using answered = await rawClient(url);
        assert.match(answered.head, new RegExp(`^HTTP/1.1 ${status} `), path);
      }
    },
  );

  await t.step(
    "a picture is of what is in view, and the client's page is as before",
    async () => {
      await page.evaluate("resized = 0; onresize = () => resized++; 0");
      const before = await page.evaluate(STATE);
      const png = await client.getSessionScreenshot(id);
      const ratio = Number(await page.evaluate("devicePixelRatio"));
      const [width, height] = await Promise.all(
        ["innerWidth", "innerHeight"].map(page.evaluate),
      );
      assert.deepEqual(readPngSize(png), [
        Number(width) * ratio,
        Number(height) * ratio,
      ]);
      assert.equal(await page.evaluate(STATE), before);
      assert.equal(await page.evaluate("resized"), 0);
    },
  );

  await t.step(
    "a picture of the whole page is as high as the page, which is as before",
    async () => {
      const before = await page.evaluate(STATE);
      const whole = await client.getSessionScreenshot(id, { full_page: true });
      assert.ok(readPngSize(whole)[1] >= 3_000);
      const jpeg = await client.getSessionScreenshot(id, {
        format: "jpeg",
        quality: 1,
      });
      assert.deepEqual([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
      await eventually(
        "the page has its size again",
        async () => await page.evaluate(STATE) === before,
      );
    },
  );

  await t.step(
    "a webp of a viewport of 16384 pixels is a problem that names png; a whole page is scaled down",
    async () => {
      const narrow = (height: number) =>
        page.call("Emulation.setDeviceMetricsOverride", {
          width: 16,
          height,
          deviceScaleFactor: 1,
          mobile: false,
        });
      await narrow(16_384);
      await assert.rejects(
        client.getSessionScreenshot(id, { format: "webp" }),
        /empty webp picture, expected format=png or jpeg .* 16383 pixels/,
      );
      assert.equal(
        readPngSize(await client.getSessionScreenshot(id))[1],
        16_384,
      );
      await narrow(600);
      for (const pixels of [16_384, 20_011]) {
        await page.evaluate(`document.body.style.height = "${pixels}px"; 0`);
        const whole = await client.getSessionScreenshot(id, {
          format: "webp",
          quality: 1,
          full_page: true,
        });
        assert.ok(whole.length > 100, `${pixels} pixels`);
      }
      await page.call("Emulation.clearDeviceMetricsOverride");
      await page.evaluate("document.body.style.height = '3000px'; 0");
    },
  );

  await t.step(
    "a document is PDF, and the content what scripts have made",
    async () => {
      const pdf = new TextDecoder("latin1").decode(
        await client.getSessionPdf(id, { format: "a4", landscape: true }),
      );
      assert.match(pdf, /^%PDF-/);
      assert.match(pdf, /%%EOF\s*$/);
      assert.match(pdf, /\/MediaBox \[0 0 84\d\.?\d* 59\d/);
      assert.match(
        await client.getSessionContent(id),
        /^<!DOCTYPE html><html>.*Made by a script: 42/s,
      );
    },
  );

  await t.step(
    "the last used page is captured, or the requested one, even if it is hidden",
    async () => {
      await open(SECOND);
      await eventually(
        "the new page is captured",
        async () => /Second/.test(await client.getSessionContent(id)),
      );
      const named = { target_id: first.targetId };
      assert.match(await client.getSessionContent(id, named), /First/);
      assert.ok(
        readPngSize(await client.getSessionScreenshot(id, named))[0] > 0,
      );
      assert.equal(await page.evaluate("document.visibilityState"), "hidden");
      assert.equal(
        await client.activateTarget(id, first.targetId),
        "Target activated",
      );
      await eventually(
        "the page is in front",
        async () =>
          await page.evaluate("document.visibilityState") === "visible",
      );
    },
  );

  await t.step(
    "the DevTools front end of Chrome attaches at the address that is given",
    async () => {
      const target = (await targets()).find((each) =>
        each["id"] === first.targetId
      );
      await using browser = await cdpClient(connectUrl);
      const { targetId } = await browser.call("Target.createTarget", {
        url: target?.["devtoolsFrontendUrl"],
      });
      await eventually("the front end shows the page", async () => {
        const shown = (await targets()).find((each) => each["id"] === targetId);
        return String(shown?.["title"]).includes("data:text/html");
      });
      assert.equal(await client.closeTarget(id, targetId), "Target is closing");
      await isGone(targetId);
    },
  );

  await t.step(
    "Puppeteer connects to the session as a browserURL",
    async () => {
      const browserURL = connectUrl.replace(/^ws/, "http");
      const browser = await puppeteer.connect({
        browserURL,
        defaultViewport: null,
      });
      const urls = browser.targets().map((each) => each.url());
      await browser.disconnect();
      assert.ok(urls.includes(SECOND), String(urls));
    },
  );

  await t.step(
    "Playwright connects to the session's http address with a token",
    async () => {
      await installClients();
      const url = connectUrl.replace(/^ws/, "http");
      const { stdout, stderr } = await runNode(
        `import { chromium } from "playwright-core";
       const browser = await chromium.connectOverCDP(${JSON.stringify(url)});
       const titles = browser.contexts()[0].pages().map((each) => each.title());
       console.log((await Promise.all(titles)).join());
       await browser.close();`,
      );
      assert.equal(stderr, "");
      assert.match(stdout, /Second/);
    },
  );

  await t.step(
    "a client whose message the browser rejects is closed with 4002, because the browser still runs",
    async () => {
      for (const message of [new Uint8Array(1), "x".repeat(101 * 2 ** 20)]) {
        const socket = new WebSocket(connectUrl);
        const closed = new Promise<CloseEvent>((resolve) =>
          socket.onclose = resolve
        );
        await new Promise((resolve) => socket.onopen = resolve);
        socket.send(message);
        const { code, reason } = await closed;
        assert.equal(code, 4002);
        assert.match(reason, /no binary frame and no message over 100 MB$/);
      }
      assert.equal((await client.getSession(id)).status, "running");
      assert.equal(await page.evaluate("document.title"), "First");
    },
  );

  await t.step(
    "a page that is closed closes its sockets and is listed no more",
    async () => {
      await client.closeTarget(id, first.targetId);
      await page.closed;
      await isGone(first.targetId);
    },
  );

  await t.step("the protocol's description is the browser's", async () => {
    const { domains } = await client.getSessionProtocol(id);
    assert.ok(Array.isArray(domains) && domains.length > 40);
  });
});
