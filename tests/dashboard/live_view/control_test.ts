import assert from "node:assert/strict";
import type { KeyInput } from "puppeteer-core";
import { hasBrowser } from "../page_scene.ts";
import {
  createState,
  createTabs,
  type LiveScene,
  PAGE_SIZE,
  paint,
  startLiveScene,
} from "./live_scene.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "the mouse has the place in the page, its buttons, its clicks and its modifiers",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page } = scene;
    const early = await scene.locate(200, 100);
    await page.mouse.click(early.x, early.y);
    assert.deepEqual(
      server.take().filter(({ type }) => type === "mouse"),
      [],
      "input before control",
    );
    await scene.takeControl();
    const place = await scene.locate(200, 100);
    await page.keyboard.down("Shift");
    await page.mouse.click(place.x, place.y, { count: 2 });
    await page.keyboard.up("Shift");
    for (const [action, buttons, click_count] of CLICKS) {
      const sent = await server.next(
        "mouse",
        ({ action }) => action !== "move",
      );
      assert.ok(Math.abs(sent.x - 200) < 1.5, `${sent.x}`);
      assert.ok(Math.abs(sent.y - 100) < 1.5, `${sent.y}`);
      assert.deepEqual(
        { action, buttons, click_count, button: "left", modifiers: 8 },
        {
          action: sent.action,
          buttons: sent.buttons,
          click_count: sent.click_count,
          button: sent.button,
          modifiers: sent.modifiers,
        },
      );
    }
    for (const button of ["right", "middle"] as const) {
      await page.mouse.click(place.x, place.y, { button });
      const down = await server.next(
        "mouse",
        ({ action }) => action === "down",
      );
      assert.equal(down.button, button);
      assert.equal(down.buttons, button === "right" ? 2 : 4);
    }
    await page.mouse.wheel({ deltaX: 30, deltaY: 120 });
    const wheel = await server.next("wheel");
    assert.deepEqual([wheel.delta_x, wheel.delta_y], [30, 120]);
  },
});

/** Messages of a double click. */
const CLICKS = [
  ["down", 1, 1],
  ["up", 0, 1],
  ["down", 1, 2],
  ["up", 0, 2],
] as const;

Deno.test({
  name:
    "a drag sends each move with its button, also outside of the picture, and is released with the window's focus",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page } = scene;
    const from = await scene.locate(100, 100);
    const to = await scene.locate(300, 200);
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await server.next("mouse", ({ action }) => action === "down");
    server.take();
    const steps = 12;
    await page.mouse.move(to.x, to.y, { steps });
    await page.mouse.move(-5, -5);
    let moves = 0;
    for (;;) {
      const move = await server.next("mouse");
      assert.deepEqual(
        [move.action, move.button, move.buttons],
        ["move", "left", 1],
      );
      moves++;
      if (move.x === 0 && move.y === 0) break;
    }
    assert.ok(moves >= steps, `${moves} moves`);
    await page.evaluate(() => dispatchEvent(new Event("blur")));
    const up = await server.next("mouse", ({ action }) => action === "up");
    assert.deepEqual([up.button, up.buttons], ["left", 0]);
  },
});

Deno.test({
  name: "places follow the scale of the page and what stands above it",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page, browser } = scene;
    server.sendPicture(await paint(browser, "#0000ff"), {
      seq: 2,
      ...PAGE_SIZE,
      scale: 2,
      top: 40,
    });
    await server.next("ack", ({ seq }) => seq === 2);
    const place = await scene.locate(200, 100);
    await page.mouse.click(place.x, place.y);
    const { x, y } = await server.next(
      "mouse",
      ({ action }) => action === "down",
    );
    assert.ok(Math.abs(x - 100) < 1, `${x}`);
    assert.ok(Math.abs(y - 30) < 1, `${y}`);
  },
});

Deno.test({
  name:
    "keys are sent with code, location and modifiers, also Tab, and Shift+Escape leaves the page",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page } = scene;
    await press(scene, ["a", "Tab", "F5", "Enter"]);
    for (
      const [key, code, key_code] of [
        ["a", "KeyA", 65],
        ["Tab", "Tab", 9],
        ["F5", "F5", 116],
        ["Enter", "Enter", 13],
      ] as const
    ) {
      for (const action of ["down", "up"] as const) {
        const { type: _, ...sent } = await server.next("key");
        assert.deepEqual(sent, {
          action,
          key,
          code,
          key_code,
          location: 0,
          is_repeat: false,
          modifiers: 0,
        });
      }
    }
    await page.keyboard.down("ControlRight");
    await press(scene, ["a"]);
    const control = await server.next("key");
    assert.deepEqual([control.code, control.location], ["ControlRight", 2]);
    assert.equal((await server.next("key")).modifiers, 2);
    server.take();
    // The focus leaves the page while Ctrl is still pressed.
    await page.focus(".live-controls button");
    const up = await server.next("key");
    assert.deepEqual([up.action, up.code], ["up", "ControlRight"]);
    await page.keyboard.up("ControlRight");
    await page.focus(".live-keyboard");
    await page.keyboard.down("Shift");
    await press(scene, ["Escape"]);
    await page.keyboard.up("Shift");
    await page.waitForFunction(() =>
      document.activeElement?.textContent === "Give back"
    );
    const keys = server.take().map((sent) => "key" in sent ? sent.key : "");
    assert.ok(!keys.includes("Escape"), keys.join());
    await page.keyboard.press("Enter");
    await server.next("control", ({ take }) => !take);
  },
});

async function press(
  { page }: LiveScene,
  keys: readonly KeyInput[],
): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

Deno.test({
  name:
    "an input method composes and commits, and pasted and dictated texts are inserted",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page } = scene;
    const devtools = await page.createCDPSession();
    for (const text of ["n", "ni", "\u4f60"]) {
      await devtools.send("Input.imeSetComposition", {
        text,
        selectionStart: text.length,
        selectionEnd: text.length,
      });
      assert.equal((await server.next("compose")).text, text);
    }
    await devtools.send("Input.insertText", { text: "\u4f60" });
    assert.equal((await server.next("text")).text, "\u4f60");
    await page.keyboard.sendCharacter("dictated");
    assert.equal((await server.next("text")).text, "dictated");
    await page.$eval(".live-keyboard", (field) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "line one\nline two");
      field.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData, cancelable: true }),
      );
    });
    assert.equal((await server.next("text")).text, "line one\nline two");
    assert.equal(
      await page.$eval(
        ".live-keyboard",
        (field) => "value" in field ? field.value : undefined,
      ),
      "",
    );
    assert.deepEqual(server.take().filter(({ type }) => type === "key"), []);
  },
});

Deno.test({
  name:
    "touches are those of a touch screen, or clicks and wheel where the page has none",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page } = scene;
    const place = await scene.locate(400, 200);
    await page.touchscreen.tap(place.x, place.y);
    for (const action of ["move", "down", "up"]) {
      const sent = await server.next("mouse");
      assert.equal(sent.action, action);
      assert.ok(Math.abs(sent.x - 400) < 1.5, `${sent.x}`);
    }
    const touch = await page.touchscreen.touchStart(place.x, place.y);
    await touch.move(place.x, place.y - 60);
    const wheel = await server.next("wheel");
    assert.equal(wheel.delta_y, 60);
    await touch.end();
    server.send(createTabs({ is_touch: true }));
    server.send(
      createState({ control: "human", is_controlling: true, viewers: 9 }),
    );
    await scene.shows(".live-state", /9 viewers/);
    server.take();
    await page.touchscreen.tap(place.x, place.y);
    const start = await server.next("touch");
    assert.deepEqual([start.action, start.points[0]?.id], ["start", 0]);
    const end = await server.next("touch");
    assert.deepEqual([end.action, end.points], ["end", []]);
    assert.deepEqual(server.take().filter(({ type }) => type === "mouse"), []);
  },
});
