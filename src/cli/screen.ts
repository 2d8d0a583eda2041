import { UsageError } from "./help.ts";

/** How a screen is written on a command line. */
export const SCREEN_EXAMPLE = "such as 1280x720";

/** The screen that `text` stands for: `WIDTHxHEIGHT`, or JSON with all that a screen has. @throws {UsageError} If it is neither. */
export function parseScreen(text: string): unknown {
  const [, width, height] = /^(\d{1,6})x(\d{1,6})$/i.exec(text) ?? [];
  if (width !== undefined) {
    return { width: Number(width), height: Number(height) };
  }
  try {
    const screen: unknown = JSON.parse(text);
    if (typeof screen === "object") return screen;
  } catch {
    // Said below.
  }
  throw new UsageError(
    `Cannot use --screen "${text}": expected WIDTHxHEIGHT, ${SCREEN_EXAMPLE}, or JSON with width, height, dpi and scale`,
  );
}
