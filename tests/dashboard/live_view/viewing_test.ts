import assert from "node:assert/strict";
import { hasBrowser } from "../page_scene.ts";
import {
  createHello,
  createState,
  createTabs,
  PAGE_SIZE,
  paint,
  startLiveScene,
} from "./live_scene.ts";
import { TOKEN } from "./scripted_server.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "the token of a link leaves the address bar, is in no URL, and survives a reload",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { page, server, faults } = scene;
    assert.equal(new URL(page.url()).hash, "");
    const connected = server.connected();
    await page.reload();
    await connected;
    assert.ok(!server.paths.join().includes(TOKEN), server.paths.join());
    server.send(createHello());
    await scene.shows(".live-state", /Live/);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "the newest picture is drawn and then acknowledged, at the size of the window",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, browser, page } = scene;
    const [red = 0, green = 255] = await scene.readColor();
    assert.ok(red > 240 && green < 15);
    const [width, height] = await page.$eval(
      ".live-stage",
      ({ clientWidth, clientHeight }) => [clientWidth, clientHeight],
    );
    await server.next(
      "view",
      (view) =>
        view.width === width && view.height === height && view.max_fps === 10,
    );
    const blue = await paint(browser, "#0000ff");
    const lime = await paint(browser, "#00ff00");
    for (const seq of [2, 3, 4]) {
      server.sendPicture(blue, { seq, ...PAGE_SIZE });
    }
    server.sendPicture(lime, { seq: 5, ...PAGE_SIZE });
    await server.next("ack", ({ seq }) => seq === 5);
    const [, nowGreen = 0] = await scene.readColor();
    assert.ok(nowGreen > 240);
    server.take();
    server.sendPicture(new Uint8Array([1, 2, 3]), { seq: 6, ...PAGE_SIZE });
    await server.next("ack", ({ seq }) => seq === 6);
    await page.setViewport({ width: 700, height: 500, deviceScaleFactor: 2 });
    const small = await server.next("view", ({ width }) => width === 1_400);
    assert.ok(small.height < 1_000);
  },
});

Deno.test({
  name: "a viewer in the background asks for no picture until it is seen again",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page, browser } = scene;
    const setHidden = (hidden: string) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", {
          configurable: true,
          value: hidden === "hidden",
        });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await server.next("view");
    await setHidden("hidden");
    server.sendPicture(await paint(browser, "#0000ff"), {
      seq: 2,
      ...PAGE_SIZE,
    });
    // An order that the page has followed after it has received the picture.
    server.send(createState({ viewers: 7 }));
    await scene.shows(".live-state", /7 viewers/);
    assert.deepEqual(server.take().filter(({ type }) => type === "ack"), []);
    await setHidden("seen");
    await server.next("ack", ({ seq }) => seq === 2);
  },
});

Deno.test({
  name: "tabs are switched by mouse and keyboard, and outside text is text",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page, faults } = scene;
    await scene.shows("[role=tab][aria-selected=true]", /^Shop$/);
    await page.locator("[role=tab]:nth-child(2)").click();
    assert.equal((await server.next("tab")).id, "two");
    server.send(createTabs({ current: "two" }));
    await scene.shows("[role=tab][aria-selected=true]", /^bank\.example\/$/);
    await page.keyboard.press("ArrowLeft");
    assert.equal((await server.next("tab")).id, "one");
    const title = "<img src=x onerror=document.title=1>";
    server.send(createTabs({
      tabs: [{
        id: "one",
        title,
        url: "https://a.example/",
        is_visible: true,
        opener_id: null,
      }],
    }));
    await scene.shows("[role=tab]", /^<img src/);
    assert.equal(await page.$("img"), null);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a lost connection is named and made again, and the last picture stays until then",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page } = scene;
    server.reject = true;
    server.cut();
    await scene.shows(".live-note", /Connection lost.*Try now/);
    await page.waitForSelector(".live-stage.lost");
    assert.ok(((await scene.readColor())[0] ?? 0) > 240);
    const before = server.paths.length;
    await page.locator(".live-note button").click();
    await scene.shows(".live-note", /Connection lost/);
    assert.ok(server.paths.length > before);
    server.reject = false;
    const connected = server.connected();
    await connected;
    server.send(createHello(), createState(), createTabs());
    await page.waitForFunction(() => !document.querySelector(".live-note"));
    // The size and rate belong to a connection.
    await server.next("view");
  },
});

Deno.test({
  name:
    "after the end of a link the picture is gone, the reason is shown, and no attempt is made",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page } = scene;
    server.send({
      type: "end",
      code: "link_revoked",
      message: "Its owner has revoked it.",
    });
    await scene.shows("[role=alert]", /This link was revoked/);
    assert.deepEqual(
      await page.$eval("canvas", ({ width, height }) => [width, height]),
      [1, 1],
    );
    server.cut();
    assert.equal(await page.$(".live-note button"), null);
    await scene.shows(".live-state", /Ended/);
    assert.equal(server.connections, 1);
  },
});

Deno.test({
  name: "a viewer without the right to control has no button for it",
  ignore,
  async fn() {
    await using scene = await startLiveScene({ hello: { mode: "view" } });
    const { server, page } = scene;
    server.send(createState({
      handover: { id: "h", reason: "Sign in, please", expires_at: null },
    }));
    await scene.shows(".live-handover", /Sign in, please.*cannot take control/);
    server.send({
      type: "dialog",
      dialog: {
        kind: "confirm",
        message: "Delete all?",
        default_text: "",
        url: "https://shop.example/basket",
      },
    });
    await scene.shows(".live-note", /shop\.example asks.*Delete all\?/);
    assert.equal(await page.$(".live-controls, .live-handover button"), null);
    assert.equal(await page.$("dialog[open]"), null);
  },
});
