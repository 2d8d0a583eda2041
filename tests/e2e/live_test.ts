import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { dockerTest } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { type LiveViewer, openLiveViewer } from "../support/live_viewer.ts";
import { startProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { browserGrid } from "./browser_grid.ts";

/** A page whose title says what was done to it. Its parts are 30 px high, and 50 px apart. */
const PAGE = `<title>still</title><style>
  body { margin: 0 } input, select, button, div {
    position: absolute; left: 0; width: 200px; height: 30px }</style>
<button style="top: 0" onclick="document.title = 'clicked'">click</button>
<input style="top: 50px" oninput="document.title = 'typed ' + value">
<select style="top: 100px" onchange="document.title = 'chose ' + value + ' ' + event.isTrusted">
  <option>a<option>b<option disabled>c<option>d</select>
<button style="top: 150px" onclick="document.title = 'asked ' + prompt('name?', 'x')">ask</button>
<input type="file" multiple accept=".txt" style="top: 200px"
  onchange="(async () => document.title = 'files ' +
    (await Promise.all([...files].map(async (f) => f.name + '=' + await f.text()))).join())()">
<div id="from" draggable="true" style="top: 250px">drag</div>
<div style="top: 300px" ondragover="event.preventDefault()"
  ondrop="document.title = 'dropped'">drop</div>
<button style="top: 350px" onclick="window.open('about:blank')">open</button>`;

const URL_OF_PAGE = `data:text/html,${encodeURIComponent(PAGE)}`;

/** Records what a page notices of its window. */
const WATCH = `globalThis.noticed = [];
for (const type of ["focus", "blur", "resize", "visibilitychange"]) {
  addEventListener(type, () => noticed.push(type), true);
}`;

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const grid = stack.use(await browserGrid("local"));
  const { client } = grid;
  const session = await client.createSession({}, { waitSeconds: 60 });
  const [target] = await client.listSessionTargets(session.id);
  const page = stack.use(
    await cdpClient(String(target?.["webSocketDebuggerUrl"])),
  );
  await page.call("Page.navigate", { url: URL_OF_PAGE });
  const base = String(session.connect_url).replace(/\/v1\/.*/, "/v1");
  const owned = stack.move();
  return {
    client,
    id: session.id,
    page,
    base,
    open: () => openLiveViewer(`${base}/sessions/${session.id}/live`),
    /** Waits until the page has the title. */
    hasTitle: (title: string) =>
      eventually(
        `the title is "${title}"`,
        async () => await page.evaluate("document.title") === title,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function takeControl(viewer: LiveViewer): Promise<void> {
  viewer.send({ type: "control", take: true });
  await viewer.find("state", ({ is_controlling }) => is_controlling);
}

Deno.test("a person sees a still page at once, and controls it: click, keys, text, list, dialog, files, drag, tabs", async () => {
  await using scene = await setUp();
  const { page, hasTitle } = scene;
  await using viewer = await scene.open();
  await viewer.shows(1);
  const { mode } = await viewer.find("hello");
  assert.equal(mode, "control");

  viewer.click(50, 15);
  const { message } = await viewer.find(
    "notice",
    ({ code }) => code === "not_allowed",
  );
  assert.equal(message, "Take control first.");
  assert.equal(await page.evaluate("document.title"), "still");

  await takeControl(viewer);
  viewer.click(50, 15);
  await hasTitle("clicked");

  viewer.click(50, 65);
  for (const action of ["down", "up"]) {
    const a = { key: "a", code: "KeyA", key_code: 65, is_repeat: false };
    viewer.send({ type: "key", action, ...a });
  }
  viewer.send({ type: "text", text: "\u6f22" });
  await hasTitle("typed a\u6f22");

  viewer.send({
    type: "compose",
    text: "ni",
    selection_start: 2,
    selection_end: 2,
  });
  await hasTitle("typed a\u6f22ni");
  viewer.send({ type: "text", text: "\u4f60" });
  await hasTitle("typed a\u6f22\u4f60");
  await viewer.find(
    "tabs",
    ({ tabs }) => tabs[0]?.title === "typed a\u6f22\u4f60",
  );
  const all = { key: "a", code: "KeyA", key_code: 65, modifiers: 2 };
  for (const action of ["down", "up"]) {
    viewer.send({ type: "key", action, is_repeat: false, ...all });
  }
  await eventually("the text is selected", async () => {
    viewer.send({ type: "copy" });
    return (await viewer.find("copied")).text === "a\u6f22\u4f60";
  });

  viewer.click(50, 115);
  const select = await viewer.find("select");
  assert.deepEqual(select.options.map(({ text }) => text), [
    ..."abcd",
  ]);
  assert.equal(select.y, 100);
  viewer.send({ type: "select_answer", id: select.id, index: 3 });
  await hasTitle("chose d true");

  viewer.click(50, 165);
  const { dialog } = await viewer.find("dialog", ({ dialog }) => !!dialog);
  assert.equal(dialog?.message, "name?");
  assert.equal(dialog?.default_text, "x");
  viewer.send({ type: "dialog_answer", accept: true, text: "Ada" });
  await hasTitle("asked Ada");

  viewer.click(50, 215);
  const chooser = await viewer.find("file_chooser");
  assert.ok(chooser.is_multiple);
  assert.equal(chooser.accept, ".txt");
  viewer.send({
    type: "files",
    id: chooser.id,
    files: ["a.txt", "b.txt"].map((name) => ({
      name,
      mime: "text/plain",
      size: 2,
    })),
  });
  viewer.sendBytes(new TextEncoder().encode("hi"));
  viewer.sendBytes(new TextEncoder().encode("yo"));
  await hasTitle("files a.txt=hi,b.txt=yo");

  await drag(scene, viewer);
  await hasTitle("dropped");

  viewer.click(50, 365);
  const { tabs } = await viewer.find("tabs", ({ tabs }) => tabs.length === 2);
  assert.equal(tabs[1]?.opener_id, tabs[0]?.id);
  await viewer.find("tabs", ({ current }) => current === tabs[1]?.id);
});

/** Drags the element to the place of the drop, and waits for each step: browsers merge moves of one moment. */
async function drag(
  { page }: {
    readonly page: { evaluate(expression: string): Promise<unknown> };
  },
  viewer: LiveViewer,
): Promise<void> {
  await page.evaluate(
    "addEventListener('dragstart', () => globalThis.dragging = true); addEventListener('dragover', () => globalThis.over = true, true)",
  );
  const mouse = { type: "mouse", x: 50, button: "left", buttons: 1 };
  viewer.send({ ...mouse, y: 265, action: "move", button: "none", buttons: 0 });
  viewer.send({ ...mouse, y: 265, action: "down", click_count: 1 });
  let y = 265;
  await eventually("the drag is over the drop", async () => {
    viewer.send({ ...mouse, y: y = Math.min(y + 10, 315), action: "move" });
    return y === 315 &&
      await page.evaluate("globalThis.over === true") === true;
  });
  viewer.send({ ...mouse, y, action: "up", buttons: 0, click_count: 1 });
}

Deno.test("the view ends with its session and says so", async () => {
  await using scene = await setUp();
  await using viewer = await scene.open();
  await viewer.shows(1);
  await scene.client.stopSession(scene.id);
  assert.equal((await viewer.find("end")).code, "session_ended");
  await viewer.closed;
});

Deno.test("two viewers share a view, a viewer is no client, and a revoked link goes dark within a second", async () => {
  await using scene = await setUp();
  const { client, id, base } = scene;
  await scene.page.evaluate(WATCH);
  const link = await client.createLiveLink(id, { mode: "view" });
  const token = new URL(link.url).hash.slice(1);
  await using person = await openLiveViewer(`${base}/live`, { token });
  await using other = await scene.open();
  await Promise.all([person.shows(1), other.shows(1)]);
  await person.find("state", ({ viewers }) => viewers === 2);
  assert.equal((await person.find("hello")).mode, "view");

  person.send({ type: "control", take: true });
  await person.find("notice", ({ code }) => code === "not_allowed");
  // The session accepts one client, which is still connected and has noticed nothing.
  assert.equal(await scene.page.evaluate("noticed.join()"), "");

  await client.revokeLiveLink(id, link.id);
  const end = await person.find("end");
  assert.equal(end.code, "link_revoked");
  await person.closed;
  await assert.rejects(
    openLiveViewer(`${base}/live`, { token }),
    /401.*live_link_not_valid/s,
  );
  await other.find("state", ({ viewers }) => viewers === 1);
});

Deno.test("a session behind a tunnel is seen and controlled at a server without the tunnel, and ends there too", async () => {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const serve = ["serve", "--port", "0", "--data-dir", `${path}/server`];
  const urls: string[] = [];
  for (let count = 0; count < 2; count++) {
    const server = stack.use(startProgram(serve));
    const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
    urls.push(url);
  }
  const [here = "", there = ""] = urls;
  const client = createClient({ apiUrl: here });
  await client.createPool({ name: "pool", provider_type: "local" });
  const worker = stack.use(startProgram([
    ...["worker", "--work-pool-id", "pool", "--api-url", here],
    ...["--reach", "tunnel", "--data-dir", `${path}/worker`],
  ]));
  await worker.until(/serves work pool/);
  const { id } = await client.createSession({}, { waitSeconds: 60 });
  const url = `${there.replace("http", "ws")}/v1/sessions/${id}/live`;
  await using viewer = await openLiveViewer(url);
  await viewer.shows(1);
  await takeControl(viewer);
  viewer.send({ type: "navigate", action: "open", url: `${there}/health` });
  await viewer.find("tabs", ({ tabs }) => tabs[0]?.url === `${there}/health`);
  await client.stopSession(id);
  assert.equal((await viewer.find("end")).code, "session_ended");
});

dockerTest(
  "a headful browser in a container is seen and controlled",
  async () => {
    await using grid = await browserGrid("docker");
    const { id, connect_url } = await grid.client.createSession({
      headless: false,
    }, { waitSeconds: 60 });
    const base = String(connect_url).replace(/\/v1\/.*/, "/v1");
    await using viewer = await openLiveViewer(`${base}/sessions/${id}/live`);
    await viewer.shows(1);
    assert.ok(!(await viewer.find("hello")).headless);
    await takeControl(viewer);
    viewer.send({ type: "new_tab" });
    const { tabs } = await viewer.find("tabs", ({ tabs }) => tabs.length === 2);
    await viewer.find("tabs", ({ current }) => current === tabs[1]?.id);
  },
);

Deno.test("a person with the link of a request has control, says that it is done, and the client goes on", async () => {
  await using scene = await setUp();
  const { client, id, base } = scene;
  const asked = await client.requestHandover(id, { reason: "Sign in" });
  assert.equal((await client.getSession(id)).control, "human");
  const token = new URL(asked.live_url ?? "").hash.slice(1);
  await using person = await openLiveViewer(`${base}/live`, { token });
  const state = await person.find("state", ({ handover }) => !!handover);
  assert.equal(state.handover?.reason, "Sign in");
  assert.equal(state.control, "human");
  // Input before the page is attached is lost.
  await person.shows(1);
  await takeControl(person);
  person.click(50, 15);
  await scene.hasTitle("clicked");
  const resolved = client.waitForHandover(id);
  person.send({ type: "finish", result: "done", note: "signed in" });
  const { status, note } = await resolved;
  assert.deepEqual([status, note], ["done", "signed in"]);
  assert.equal((await client.getSession(id)).control, "client");
  // The link was for this request.
  assert.equal((await person.find("end")).code, "link_revoked");
});

Deno.test("touches reach a page that emulates a touch screen", async () => {
  await using scene = await setUp();
  const { page } = scene;
  await page.call("Emulation.setTouchEmulationEnabled", { enabled: true });
  await page.evaluate(
    "document.querySelector('button').addEventListener('touchend', () => globalThis.isTouched = true)",
  );
  await using viewer = await scene.open();
  await viewer.shows(1);
  await takeControl(viewer);
  await viewer.find("tabs", ({ is_touch }) => is_touch);
  const points = [{ id: 0, x: 50, y: 15 }];
  viewer.send({ type: "touch", action: "start", points });
  viewer.send({ type: "touch", action: "end", points: [] });
  // A tap is a click too.
  await scene.hasTitle("clicked");
  assert.ok(await page.evaluate("globalThis.isTouched === true"));
});
