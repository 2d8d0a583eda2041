import { z } from "@hono/zod-openapi";
import type { ViewerMessage } from "../../apps/live/schemas/viewer_messages.ts";
import type { BrowserCommands } from "./browser_commands.ts";
import { toCommand } from "./page/input.ts";
import type { OpenSelect } from "./page/drop_down.ts";
import type { LivePage } from "./page/live_page.ts";
import type { Viewer } from "./viewer.ts";

/** Messages of the viewer in control. */
export type ControlMessage = Exclude<
  ViewerMessage,
  { type: "ack" | "view" | "tab" | "control" | "finish" }
>;

/** The viewer in control, and the browser. */
export interface ControlContext {
  readonly viewer: Viewer;
  readonly link: BrowserCommands;
  /** Reports whether a page is one that viewers see. */
  readonly hasPage: (id: string) => boolean;
}

/** Schemes that a viewer may open. */
const OPENED = new Set(["http:", "https:"]);

/** Lists that viewers have been shown, by viewer. */
const openSelects = new WeakMap<
  Viewer,
  { readonly id: number; readonly select: OpenSelect }
>();

let lastSelectId = 0;

/** Does what the viewer in control asks for. @throws {Error} The browser does not respond, or rejects it. */
export async function applyControl(
  context: ControlContext,
  message: ControlMessage,
): Promise<void> {
  const { viewer, link, hasPage } = context;
  switch (message.type) {
    case "new_tab":
      return void link.post({
        method: "Target.createTarget",
        params: { url: "about:blank" },
      });
    case "close_tab":
      if (!hasPage(message.id)) return;
      return void link.post({
        method: "Target.closeTarget",
        params: { targetId: message.id },
      });
  }
  const { page } = viewer;
  if (page) await applyToPage(viewer, page, message);
}

async function applyToPage(
  viewer: Viewer,
  page: LivePage,
  message: Exclude<ControlMessage, { type: "new_tab" | "close_tab" }>,
): Promise<void> {
  switch (message.type) {
    case "dialog_answer":
      return page.answerDialog(message.accept, message.text);
    case "select_answer": {
      const open = openSelects.get(viewer);
      openSelects.delete(viewer);
      if (open?.id === message.id) {
        page.chooseOption(open.select, message.index);
      }
      return;
    }
    case "files":
      return message.files.length > 0
        ? viewer.expectFiles(message)
        : await page.chooseFiles(message.id, []);
    case "copy":
      return viewer.send({ type: "copied", text: await page.readSelection() });
    case "navigate":
      return await navigate(page, message);
    default:
      page.post(toCommand(message));
  }
  const isClick = message.type === "mouse" && message.action === "down" &&
    message.button === "left";
  if (isClick) await showSelect(viewer, page, message);
}

/** Shows the drop-down list that a click has opened: the picture does not contain it. */
async function showSelect(
  viewer: Viewer,
  page: LivePage,
  { x, y }: { readonly x: number; readonly y: number },
): Promise<void> {
  // A page that does not respond has opened no list.
  const select = await page.findSelect(x, y).catch(() => null);
  if (!select || viewer.page !== page) return;
  const id = ++lastSelectId;
  openSelects.set(viewer, { id, select });
  viewer.send({ type: "select", id, ...select, options: select.options });
}

async function navigate(
  page: LivePage,
  { action, url }: Extract<ControlMessage, { type: "navigate" }>,
): Promise<void> {
  switch (action) {
    case "back":
      return await page.go(-1);
    case "forward":
      return await page.go(1);
    case "reload":
      return page.post({ method: "Page.reload" });
    case "open": {
      const parsed = z.url().safeParse(url);
      if (!parsed.success || !OPENED.has(new URL(parsed.data).protocol)) {
        throw new Error("expected an http or https address");
      }
      return page.post({
        method: "Page.navigate",
        params: { url: parsed.data },
      });
    }
  }
}
