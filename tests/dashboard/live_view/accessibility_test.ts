import assert from "node:assert/strict";
import { findFaults } from "../find_faults.ts";
import { hasBrowser } from "../page_scene.ts";
import { createState, startLiveScene } from "./live_scene.ts";

/** Each size with one of the schemes: colours do not depend on the size. */
const VIEWS = [
  { width: 1280, height: 900, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
];

Deno.test({
  name:
    "no state of the live view has an accessibility fault of level serious or critical",
  ignore: !hasBrowser(),
  async fn() {
    await using scene = await startLiveScene({
      hello: { expires_at: new Date(Date.now() + 60_000).toISOString() },
    });
    const { server, page } = scene;
    const found: string[] = [];
    async function check(state: string): Promise<void> {
      for (const { scheme, ...size } of VIEWS) {
        await page.setViewport(size);
        await page.emulateMediaFeatures([
          { name: "prefers-color-scheme", value: scheme },
        ]);
        const faults = await findFaults(page, scheme);
        found.push(...faults.map((fault) => `${state} ${fault}`));
      }
    }
    const handover = { id: "h", reason: "Please sign in", expires_at: null };
    server.send(createState({ handover }));
    await scene.shows(".live-handover", /sign in/);
    await check("viewing");
    await scene.takeControl();
    server.send(
      createState({ control: "human", is_controlling: true, handover }),
    );
    await page.waitForSelector(".live-handover");
    await page.locator(".live-handover ::-p-text(Cannot do it)").click();
    server.send({ type: "notice", code: "page_hangs", message: "It hangs." });
    await scene.shows(".live-notices li", /hangs/);
    await check("controlling");
    server.send({
      type: "select",
      id: 1,
      x: 10,
      y: 10,
      width: 100,
      height: 20,
      options: ["Red", "Green", "Blue"].map((text, at) => ({
        text,
        is_disabled: at === 1,
        group: at === 2 ? "Cold" : "Warm",
      })),
      selected: 0,
    });
    await page.waitForSelector("[role=listbox]");
    await check("select");
    await page.keyboard.press("Escape");
    server.send({
      type: "dialog",
      dialog: {
        kind: "prompt",
        message: "Your name?",
        default_text: "Ann",
        url: "https://shop.example/",
      },
    });
    await page.waitForSelector("dialog[open]");
    await check("dialog");
    await page.keyboard.press("Escape");
    server.send({ type: "file_chooser", id: 1, is_multiple: true, accept: "" });
    await page.waitForSelector("dialog[open] input[type=file]");
    await check("files");
    await page.keyboard.press("Escape");
    server.reject = true;
    server.cut();
    await scene.shows(".live-note", /Connection lost/);
    await check("lost");
    assert.deepEqual(found, []);
  },
});
