import type { SessionWire } from "../../../client/client.ts";
import { isKeyRequired } from "../api/access.ts";
import { SERVER_URL } from "../api/client.ts";

/** A program that uses a session. */
export interface Snippet {
  readonly title: string;
  readonly text: string;
}

/** Returns the command that creates a session. */
export function buildCreateCommand(): string {
  return `curl -X POST ${renderKeyHeader()}-H "Content-Type: application/json" -d '{}' ${SERVER_URL}/v1/sessions`;
}

/** Returns programs that connect to a session. They contain no secret: a key is read from the environment. */
export function createSnippets(
  { id, connect_url }: Pick<SessionWire, "id" | "connect_url">,
): readonly Snippet[] {
  const [address = connect_url] = connect_url.split("?");
  const header = renderKeyHeader();
  const option = isKeyRequired()
    ? 'headers: { "X-API-Key": process.env.BROWSERGRID_API_KEY }'
    : undefined;
  const url = `${SERVER_URL}/v1/sessions/${id}`;
  return [{
    title: "Puppeteer",
    text: `import puppeteer from "puppeteer-core";

const browser = await puppeteer.connect({
  browserWSEndpoint: "${address}",${option ? `\n  ${option},` : ""}
});
const page = await browser.newPage();
await page.goto("https://example.com");
console.log(await page.title());
await browser.disconnect();`,
  }, {
    title: "Playwright",
    text: `import { chromium } from "playwright-core";

const browser = await chromium.connectOverCDP(
  "${address}",${option ? `\n  { ${option} },` : ""}
);
const page = await browser.contexts()[0].newPage();
await page.goto("https://example.com");
console.log(await page.title());
await browser.close(); // disconnects; the session goes on`,
  }, {
    title: "curl",
    text: `# The session, with the address for a client
curl ${header}${url}
# A screenshot of its page
curl ${header}-o page.png ${url}/screenshot
# To stop it: curl ${header}-X DELETE ${url}`,
  }];
}

function renderKeyHeader(): string {
  return isKeyRequired() ? '-H "X-API-Key: $BROWSERGRID_API_KEY" ' : "";
}
