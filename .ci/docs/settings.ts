import { listSettings } from "../../src/core/settings.ts";
import { code, escapeText } from "./markdown.ts";

/** Renders every setting as an entry of a list: a table would be wider than any terminal. */
export function renderSettings(): string {
  return listSettings().map((row) => {
    const value = row.default ? `, default ${code(row.default)}` : "";
    return `- **${code(row.variable)}** (${row.type}${value}): ${
      escapeText(row.description)
    }`;
  }).join("\n");
}
