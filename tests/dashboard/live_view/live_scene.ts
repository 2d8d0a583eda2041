import type { LiveMessage } from "../../../src/apps/live/schemas/live_messages.ts";
import {
  type DashboardBrowser,
  type DashboardPage,
  startBrowser,
} from "../page_scene.ts";
import { type ScriptedServer, startScriptedServer } from "./scripted_server.ts";

type Part<Type extends LiveMessage["type"]> = Partial<
  Extract<LiveMessage, { readonly type: Type }>
>;

/** A visitor of a link, and the scripted server that it sees. */
export interface LiveScene extends DashboardPage, AsyncDisposable {
  readonly server: ScriptedServer;
  readonly browser: DashboardBrowser;
  /** Takes control by the button. */
  takeControl(): Promise<void>;
  /** Returns the colour in the middle of the canvas, as red, green and blue. */
  readColor(): Promise<readonly number[]>;
  /** Returns the place of a point of the page in the visitor's window. */
  locate(x: number, y: number): Promise<{ readonly x: number; y: number }>;
}

/** Size of the scripted page, in CSS pixels. */
export const PAGE_SIZE = { width: 800, height: 400 };

/** Returns the first message of a connection. */
export function createHello(part: Part<"hello"> = {}): LiveMessage {
  return {
    type: "hello",
    session_id: "0198d0a5-0000-7000-8000-000000000000",
    browser: "chromium",
    headless: true,
    mode: "control",
    expires_at: null,
    ...part,
  };
}

/** Returns the state of the browser. */
export function createState(part: Part<"state"> = {}): LiveMessage {
  return {
    type: "state",
    control: "client",
    is_controlling: false,
    viewers: 1,
    handover: null,
    ...part,
  };
}

/** Returns the list of tabs. */
export function createTabs(part: Part<"tabs"> = {}): LiveMessage {
  return {
    type: "tabs",
    tabs: [
      {
        id: "one",
        title: "Shop",
        url: "https://shop.example/basket",
        is_visible: true,
        opener_id: null,
      },
      {
        id: "two",
        title: "",
        url: "https://bank.example/",
        is_visible: false,
        opener_id: "one",
      },
    ],
    current: "one",
    is_touch: false,
    ...part,
  };
}

/** Opens the page of a link. The server has sent its first messages and a red picture. */
export async function startLiveScene(
  { hello = {}, state = {} }: {
    readonly hello?: Part<"hello">;
    readonly state?: Part<"state">;
  } = {},
): Promise<LiveScene> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startScriptedServer());
  const browser = stack.use(await startBrowser());
  const connected = server.connected();
  const page = await browser.open(server.url);
  await connected;
  server.send(createHello(hello), createState(state), createTabs());
  server.sendPicture(await paint(browser, "#ff0000"), { seq: 1, ...PAGE_SIZE });
  await server.next("ack");
  return {
    ...page,
    server,
    browser,
    async takeControl() {
      await page.page.locator(".live-controls button.primary").click();
      await server.next("control", ({ take }) => take);
      server.send(createState({ control: "human", is_controlling: true }));
      await page.page.waitForFunction(() =>
        document.activeElement?.className === "live-keyboard"
      );
      server.take();
    },
    readColor: () =>
      page.page.$eval("canvas", (canvas) => {
        const { width, height } = canvas;
        const data = canvas.getContext("2d")?.getImageData(
          width >> 1,
          height >> 1,
          1,
          1,
        ).data ?? [];
        return [...data].slice(0, 3);
      }),
    locate: (x, y) =>
      page.page.$eval(
        "canvas",
        (canvas, x, y) => {
          const { left, top, width, height } = canvas.getBoundingClientRect();
          return { x: left + x * width, y: top + y * height };
        },
        x / PAGE_SIZE.width,
        y / PAGE_SIZE.height,
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Returns a JPEG of one colour. */
export async function paint(
  browser: DashboardBrowser,
  color: string,
): Promise<Uint8Array> {
  const { page } = await browser.open("about:blank");
  await page.setViewport(PAGE_SIZE);
  await page.evaluate((color) => {
    document.documentElement.style.background = color;
  }, color);
  const jpeg = await page.screenshot({ type: "jpeg" });
  await page.close();
  return jpeg;
}
