import type { z } from "@hono/zod-openapi";
import type { BrowserCommand } from "../browser_commands.ts";
import type { selectSchema } from "./page_functions.ts";

/** A drop-down list that is open in the page. */
export type OpenSelect = NonNullable<z.infer<typeof selectSchema>>;

const UP = { key: "ArrowUp", code: "ArrowUp", windowsVirtualKeyCode: 38 };
const DOWN = { key: "ArrowDown", code: "ArrowDown", windowsVirtualKeyCode: 40 };
const ENTER = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
const ESCAPE = { key: "Escape", code: "Escape", windowsVirtualKeyCode: 27 };

/**
 * Returns the keys that choose an option of an open list: a click into the list would reach the page behind it, and a
 * script's choice raises events that pages can tell from a person's.
 *
 * @param index Index of the option; null closes the list.
 */
export function createChoice(
  { options, selected }: OpenSelect,
  index: number | null,
): readonly BrowserCommand[] {
  const chosen = index === null ? undefined : options[index];
  if (index === null || !chosen || chosen.is_disabled) return press(ESCAPE);
  // Arrow keys skip disabled options.
  const rank = (at: number) =>
    options.slice(0, at).filter(({ is_disabled }) => !is_disabled).length;
  const steps = rank(index) - (selected < 0 ? -1 : rank(selected));
  return [
    ...Array.from(
      { length: Math.abs(steps) },
      () => press(steps < 0 ? UP : DOWN),
    ).flat(),
    ...press(ENTER, { text: "\r", unmodifiedText: "\r" }),
  ];
}

/** Returns the commands that press and release a key. */
function press(key: typeof UP, text?: object): readonly BrowserCommand[] {
  const method = "Input.dispatchKeyEvent";
  return [
    {
      method,
      params: { ...key, ...text, type: text ? "keyDown" : "rawKeyDown" },
    },
    { method, params: { ...key, type: "keyUp" } },
  ];
}
