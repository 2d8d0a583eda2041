import assert from "node:assert/strict";
import type { LiveMessage } from "../../../src/apps/live/schemas/live_messages.ts";
import { hasBrowser } from "../page_scene.ts";
import { createState, startLiveScene } from "./live_scene.ts";

const ignore = !hasBrowser();

type DialogKind = NonNullable<
  Extract<LiveMessage, { readonly type: "dialog" }>["dialog"]
>["kind"];

function createDialog(kind: DialogKind): LiveMessage {
  return {
    type: "dialog",
    dialog: {
      kind,
      message: "Your name?",
      default_text: "Ann",
      url: "https://shop.example/basket",
    },
  };
}

Deno.test({
  name: "dialogs of the page are answered, by buttons and by keys",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page, faults } = scene;
    for (
      const [kind, key, answer] of [
        ["alert", "Escape", { accept: true }],
        ["confirm", "Enter", { accept: true }],
        ["confirm", "Escape", { accept: false }],
        ["prompt", "Enter", { accept: true, text: "Ann" }],
        ["prompt", "Escape", { accept: false }],
        ["beforeunload", "Enter", { accept: true }],
      ] as const
    ) {
      server.send(createDialog(kind));
      await page.waitForSelector("dialog[open]");
      await page.keyboard.press(key);
      const { type: _, ...sent } = await server.next("dialog_answer");
      assert.deepEqual(sent, answer, `${kind} ${key}`);
      await page.waitForSelector("dialog[open]", { hidden: true });
    }
    server.send(createDialog("prompt"));
    await scene.shows("dialog[open]", /shop\.example asks.*Your name\?/);
    await page.$eval("input[name=prompt]", (input) => input.select());
    await page.type("input[name=prompt]", "Bob");
    await page.locator("dialog[open] button.primary").click();
    assert.equal((await server.next("dialog_answer")).text, "Bob");
    // Answered elsewhere.
    server.send(createDialog("confirm"));
    await page.waitForSelector("dialog[open]");
    server.send({ type: "dialog", dialog: null });
    await page.waitForSelector("dialog[open]", { hidden: true });
    // The keyboard belongs to the page again.
    await page.waitForFunction(() =>
      document.activeElement?.className === "live-keyboard"
    );
    await page.keyboard.press("x");
    assert.equal((await server.next("key")).key, "x");
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "the options of a select are shown at its place and chosen by mouse and keyboard",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page, faults } = scene;
    const names = ["Red", "Green", "Blue", "Black"];
    const open = (id: number) =>
      server.send({
        type: "select",
        id,
        x: 100,
        y: 50,
        width: 200,
        height: 30,
        options: names.map((text) => ({
          text,
          is_disabled: text === "Green",
          group: text === "Black" ? "Dark" : "",
        })),
        selected: 0,
      });
    open(1);
    await page.waitForSelector("[role=listbox]");
    const place = await scene.locate(100, 80);
    const box = await page.$eval("[role=listbox]", (list) => {
      const { left, top } = list.getBoundingClientRect();
      return { left, top };
    });
    assert.ok(Math.abs(box.left - place.x) < 2, `${box.left} ${place.x}`);
    assert.ok(Math.abs(box.top - place.y) < 2, `${box.top} ${place.y}`);
    await page.locator("[role=option]:nth-child(2)").click();
    await page.locator("[role=option]:nth-child(3)").click();
    assert.deepEqual(await server.next("select_answer"), {
      type: "select_answer",
      id: 1,
      index: 2,
    });
    for (
      const [id, keys, index] of [
        [2, ["ArrowDown", "Enter"], 2],
        [3, ["End", "Enter"], 3],
        [4, ["b", "l", "a", "Enter"], 3],
        [5, ["Escape"], null],
      ] as const
    ) {
      open(id);
      await page.waitForFunction(() =>
        document.activeElement?.role === "listbox"
      );
      for (const key of keys) await page.keyboard.press(key);
      const answer = await server.next("select_answer");
      assert.deepEqual([answer.id, answer.index], [id, index]);
      await page.waitForSelector("[role=listbox]", { hidden: true });
    }
    assert.deepEqual(server.take().filter(({ type }) => type === "key"), []);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name: "files of the visitor are given to a file chooser, in their order",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "browsergrid-files-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const paths = ["a.txt", "b.txt"].map((name) => `${folder}/${name}`);
    for (const path of paths) {
      await Deno.writeTextFile(path, `content of ${path.slice(-5)}`);
    }
    const scene = stack.use(await startLiveScene());
    await scene.takeControl();
    const { server, page, faults } = scene;
    server.send({
      type: "file_chooser",
      id: 7,
      is_multiple: true,
      accept: ".txt,image/*",
    });
    const input = await page.waitForSelector("dialog[open] input[type=file]");
    assert.ok(input);
    assert.deepEqual(
      await input.evaluate((input) =>
        ["accept", "multiple"].map((name) => input.getAttribute(name))
      ),
      [".txt,image/*", ""],
    );
    await input.uploadFile(...paths);
    await page.locator("dialog[open] button.primary").click();
    const { files } = await server.next("files");
    assert.deepEqual(files, [
      { name: "a.txt", mime: "text/plain", size: 16 },
      { name: "b.txt", mime: "text/plain", size: 16 },
    ]);
    assert.equal(await server.nextFile(), "content of a.txt");
    assert.equal(await server.nextFile(), "content of b.txt");
    server.send({
      type: "file_chooser",
      id: 8,
      is_multiple: false,
      accept: "",
    });
    await page.waitForSelector("dialog[open] input[type=file]");
    await page.keyboard.press("Escape");
    const cancelled = await server.next("files");
    assert.deepEqual([cancelled.id, cancelled.files], [8, []]);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a copied text is offered where the clipboard is not permitted, and a text to paste is asked for",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    await scene.takeControl();
    const { server, page, faults } = scene;
    await page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
    });
    await page.locator(".live-controls ::-p-text(Copy)").click();
    await server.next("copy");
    server.send({ type: "copied", text: "from the page" });
    await page.waitForFunction(() =>
      getSelection()?.toString() === "from the page"
    );
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { hidden: true });
    server.send({ type: "copied", text: "" });
    await scene.shows(".live-notices li", /Nothing is selected/);
    await page.locator(".live-controls ::-p-text(Paste)").click();
    await page.waitForSelector("dialog[open] textarea");
    await page.keyboard.type("to the page");
    await page.locator("dialog[open] button.primary").click();
    assert.equal((await server.next("text")).text, "to the page");
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "an address is opened, and tabs are opened and closed, only with control",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page } = scene;
    assert.equal(await page.$(".live-navigation"), null);
    await scene.takeControl();
    const read = () => page.$eval("input[name=address]", ({ value }) => value);
    assert.equal(await read(), "https://shop.example/basket");
    for (
      const [typed, url] of [
        ["example.org/a", "https://example.org/a"],
        ["localhost:8080", "http://localhost:8080/"],
        ["javascript:alert(1)", undefined],
        ["two words", undefined],
        ["http://plain.example", "http://plain.example/"],
      ]
    ) {
      await page.focus("input[name=address]");
      await page.$eval("input[name=address]", (input) => input.select());
      await page.keyboard.type(`${typed}\n`);
      if (url === undefined) {
        await page.waitForSelector("input[name=address][aria-invalid=true]");
      } else {
        const sent = await server.next("navigate");
        assert.deepEqual([sent.action, sent.url], ["open", url]);
      }
    }
    for (const action of ["back", "forward", "reload"]) {
      const label = action[0]?.toUpperCase() + action.slice(1);
      await page.locator(`.live-navigation [aria-label=${label}]`).click();
      assert.equal((await server.next("navigate")).action, action);
    }
    await page.locator("[aria-label='New tab']").click();
    await server.next("new_tab");
    await page.locator("[aria-label='Close tab']").click();
    assert.equal((await server.next("close_tab")).id, "one");
  },
});

Deno.test({
  name:
    "a request to a person shows its reason and remaining time, and is done or declined with a note",
  ignore,
  async fn() {
    await using scene = await startLiveScene();
    const { server, page, faults } = scene;
    const handover = {
      id: "request",
      reason: "Solve the puzzle, please",
      expires_at: new Date(Date.now() + 300_000).toISOString(),
    };
    server.send(createState({ handover }));
    await scene.shows(".live-handover", /Solve the puzzle, please\s*4 min/);
    await page.locator(".live-handover ::-p-text(Cannot do it)").click();
    await page.type("input[name=note]", "It never ends");
    await page.locator(".live-handover button[type=submit]").click();
    assert.deepEqual(await server.next("finish"), {
      type: "finish",
      result: "declined",
      note: "It never ends",
    });
    await scene.takeControl();
    server.send(
      createState({ control: "human", is_controlling: true, handover }),
    );
    await scene.shows(".live-control", /^You have control$/);
    await page.locator(".live-handover ::-p-text(Done)").click();
    assert.equal((await server.next("finish")).result, "done");
    server.send({ type: "notice", code: "page_hangs", message: "It hangs." });
    await scene.shows(".live-notices li", /It hangs/);
    server.send({ type: "notice", code: "page_responds", message: "Again." });
    await page.waitForSelector(".live-notices li", { hidden: true });
    assert.deepEqual(faults, []);
  },
});
