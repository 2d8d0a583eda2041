/**
 * Functions that run in pages, as source text: they are never called here.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";

/** Maximum number of options of a list that viewers receive. */
const MAX_OPTIONS = 2_000;

const MAX_OPTION_TEXT = 300;

/** Options of a `select` and its place, in CSS pixels of the page. */
export const selectSchema = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  selected: z.int(),
  options: z.array(z.object({
    text: z.string().max(MAX_OPTION_TEXT),
    is_disabled: z.boolean(),
    group: z.string().max(MAX_OPTION_TEXT),
  })).max(MAX_OPTIONS),
}).nullable();

/** Returns the drop-down list at a position, through shadow roots and frames of the same origin. */
export const FIND_SELECT = `function (x, y) {
  let scope = document, left = 0, top = 0, element = null;
  for (let depth = 0; depth < 20; depth++) {
    const found = scope.elementFromPoint(x - left, y - top);
    if (!found || found === element) break;
    element = found;
    if (found.shadowRoot) { scope = found.shadowRoot; continue; }
    let inner = null;
    try { inner = found.contentDocument ?? null; } catch { inner = null; }
    if (!inner) break;
    const box = found.getBoundingClientRect();
    left += box.left + found.clientLeft;
    top += box.top + found.clientTop;
    scope = inner;
  }
  const select = element?.closest?.("select");
  if (!select || select.multiple || select.size > 1 || select.disabled) return null;
  const box = select.getBoundingClientRect();
  const cut = (text) => String(text ?? "").slice(0, ${MAX_OPTION_TEXT});
  return {
    x: box.left + left, y: box.top + top, width: box.width, height: box.height,
    selected: select.selectedIndex,
    options: [...select.options].slice(0, ${MAX_OPTIONS}).map((option) => ({
      text: cut(option.label || option.text),
      is_disabled: option.disabled || option.parentElement?.disabled === true,
      group: cut(option.parentElement?.label),
    })),
  };
}`;

/** Maximum length of a copied text, in UTF-16 code units. */
export const MAX_COPIED = 500_000;

/** Returns the selected text, of a field or of the page. */
export const READ_SELECTION = `function () {
  let active = document.activeElement;
  for (let depth = 0; depth < 20 && active; depth++) {
    let inner = active.shadowRoot?.activeElement ?? null;
    try { inner ??= active.contentDocument?.activeElement ?? null; } catch { inner ??= null; }
    if (!inner || inner === active) break;
    active = inner;
  }
  let text = "";
  if (active && typeof active.selectionStart === "number" && active.type !== "password") {
    text = active.value.slice(active.selectionStart, active.selectionEnd);
  }
  text ||= String((active?.ownerDocument ?? document).getSelection() ?? "");
  return text.slice(0, ${MAX_COPIED});
}`;

/** Reports whether the page is on a touch screen. */
export const IS_TOUCH = `function () { return navigator.maxTouchPoints > 0; }`;

/**
 * Puts files into a file input, which is \`this\`, and reports the choice to the page; without files it reports a
 * cancelled choice. Works for browsers on other hosts: no path of a disk is needed.
 */
export const SET_FILES = `function (files) {
  if (files.length === 0) {
    this.dispatchEvent(new Event("cancel", { bubbles: true }));
    return true;
  }
  const transfer = new DataTransfer();
  for (const { name, mime, base64 } of files) {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: mime }));
  }
  this.files = transfer.files;
  for (const type of ["input", "change"]) {
    this.dispatchEvent(new Event(type, { bubbles: true, composed: true }));
  }
  return true;
}`;
