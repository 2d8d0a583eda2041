import type { Page } from "puppeteer-core";
import type { DashboardBrowser } from "../page_scene.ts";
import { createState, startLiveScene } from "./live_scene.ts";

const SIZE = { width: 1280, height: 720 };

/** A page as in use, for pictures. */
const SHOP = `<style>
  body { margin: 40px; font: 16px sans-serif; background: #fff; color: #222 }
  input, select, button { padding: 6px; font: inherit }
</style>
<h1>Your basket</h1>
<p>2 notebooks, 1 pencil. The delivery takes 2 days.</p>
<p>Colour <select><option>Red</select></p>
<p><input placeholder="Name"> <button>Order</button></p>`;

/** Shows the live view in each of its states, and calls `capture` for it. */
export async function captureStates(
  capture: (page: Page, name: string) => Promise<void>,
): Promise<void> {
  const now = Date.now();
  await using scene = await startLiveScene({
    hello: { expires_at: new Date(now + 3_000_000).toISOString() },
  });
  const { server, page, browser } = scene;
  server.sendPicture(await renderShop(browser), { seq: 2, ...SIZE });
  await server.next("ack", ({ seq }) => seq === 2);
  await capture(page, "live-viewing");
  const handover = {
    id: "request",
    reason: "Sign in to the shop, and stop at the payment.",
    expires_at: new Date(now + 300_000).toISOString(),
  };
  const controlling = createState({
    control: "human",
    is_controlling: true,
    viewers: 2,
    handover,
  });
  server.send(createState({ viewers: 2, handover }));
  await page.waitForSelector(".live-handover");
  await capture(page, "live-handover");
  await scene.takeControl();
  server.send(controlling);
  await page.waitForSelector(".live-handover .primary");
  await capture(page, "live-controlling");
  server.send({
    type: "select",
    id: 1,
    x: 100,
    y: 160,
    width: 90,
    height: 34,
    options: ["Red", "Green", "Blue", "Black"].map((text, at) => ({
      text,
      is_disabled: at === 1,
      group: at < 2 ? "Warm" : "Cold",
    })),
    selected: 0,
  });
  await page.waitForSelector("[role=listbox]");
  await capture(page, "live-select");
  await page.keyboard.press("Escape");
  server.send({
    type: "dialog",
    dialog: {
      kind: "prompt",
      message: "For whom is the order?",
      default_text: "Ann",
      url: "https://shop.example/basket",
    },
  });
  await page.waitForSelector("dialog[open]");
  await capture(page, "live-dialog");
  await page.keyboard.press("Escape");
  server.reject = true;
  server.cut();
  await scene.shows(".live-note", /Connection lost/);
  await capture(page, "live-lost");
}

async function renderShop(browser: DashboardBrowser): Promise<Uint8Array> {
  const { page } = await browser.open("about:blank");
  await page.setViewport(SIZE);
  await page.setContent(SHOP);
  const jpeg = await page.screenshot({ type: "jpeg" });
  await page.close();
  return jpeg;
}
