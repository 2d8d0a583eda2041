import { UsageError } from "../exit.ts";

/** Example of a screen on the command line. */
export const SCREEN_EXAMPLE = "such as 1280x720";

/** Parses a screen: `WIDTHxHEIGHT`, or JSON with all members. @throws {UsageError} If the text is neither. */
export function parseScreen(text: string): unknown {
  const [, width, height] = /^(\d{1,6})x(\d{1,6})$/i.exec(text) ?? [];
  if (width !== undefined) {
    return { width: Number(width), height: Number(height) };
  }
  try {
    const screen: unknown = JSON.parse(text);
    if (typeof screen === "object") return screen;
  } catch {
    // The error is thrown below.
  }
  throw new UsageError(
    `Cannot use --screen "${text}": expected WIDTHxHEIGHT, ${SCREEN_EXAMPLE}, or JSON with width, height, dpi and scale`,
  );
}
