import { code, escapeText } from "./markdown.ts";
import { openDefaultGrid } from "./open_grid.ts";

/** Renders the types of events of the built-in apps, with the members of their data. */
export async function renderEventTypes(): Promise<string> {
  await using grid = await openDefaultGrid();
  return Object.entries(grid.core.eventTypes).map(
    ([type, { description, data }]) => {
      const members = Object.keys(data.shape).map(code).join(", ");
      const text = `- ${code(type)}: ${escapeText(description)}`;
      return members === "" ? text : `${text} (${members})`;
    },
  ).join("\n");
}
