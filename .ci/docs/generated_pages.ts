import { renderCommands } from "./commands.ts";
import { renderEventTypes } from "./event_types.ts";
import { renderFigures, renderReadmeFigures } from "./figures.ts";
import { renderHttpApi } from "./http_api.ts";
import { formatMarkdown, type GeneratedPart, replacePart } from "./markdown.ts";
import { renderMetrics } from "./metrics.ts";
import { renderSessionFields } from "./session_fields.ts";
import { renderSettings } from "./settings.ts";

const PARTS: readonly GeneratedPart[] = [
  { page: "docs/settings.md", name: "settings", render: renderSettings },
  { page: "docs/http-api.md", name: "http-api", render: renderHttpApi },
  { page: "docs/cli.md", name: "commands", render: renderCommands },
  {
    page: "docs/sessions.md",
    name: "session-fields",
    render: renderSessionFields,
  },
  { page: "docs/metrics.md", name: "metrics", render: renderMetrics },
  { page: "docs/events.md", name: "event-types", render: renderEventTypes },
  { page: "docs/performance.md", name: "figures", render: renderFigures },
  { page: "README.md", name: "figures", render: renderReadmeFigures },
];

/** A page with its generated parts. */
export interface GeneratedPage {
  /** Path from the root of the project. */
  readonly page: string;
  readonly url: URL;
  /** The page with its generated parts renewed. */
  readonly text: string;
}

/** Returns each page that has a generated part, as it should be. */
export function generatedPages(): Promise<readonly GeneratedPage[]> {
  return Promise.all(PARTS.map(async ({ page, name, render }) => {
    const url = new URL(`../../${page}`, import.meta.url);
    const text = await Deno.readTextFile(url);
    const renewed = replacePart(text, name, await render());
    return { page, url, text: await formatMarkdown(renewed) };
  }));
}
