import type { SessionWire } from "../../../client/client.ts";
import { isKeyRequired } from "../api/access.ts";
import { SERVER_URL } from "../api/client.ts";

/** A program that uses a session. */
export interface Snippet {
  readonly title: string;
  readonly text: string;
}

/** Option of clients with the key of the environment. */
const KEY_OPTION = 'headers: { "X-API-Key": process.env.BROWSERGRID_API_KEY }';

/** Returns the command that creates a session. */
export function buildCreateCommand(): string {
  return `curl -X POST ${
    renderKeyHeader({ hasKey: isKeyRequired() })
  }-H "Content-Type: application/json" -d '{}' ${SERVER_URL}/v1/sessions`;
}

/** Returns programs that connect to a session. They contain no secret: a key is read from the environment. */
export function createSnippets(
  { id, connect_url }: Pick<SessionWire, "id" | "connect_url">,
): readonly Snippet[] {
  const [address = connect_url] = connect_url.split("?");
  const header = renderKeyHeader({ hasKey: isKeyRequired() });
  const option = isKeyRequired() ? KEY_OPTION : undefined;
  const url = `${SERVER_URL}/v1/sessions/${id}`;
  return [
    ...createClientSnippets(address, option, {
      end: "disconnects; the session goes on",
    }),
    {
      title: "curl",
      text: `# The session, with the address for a client
curl ${header}${url}
# A screenshot of its page
curl ${header}-o page.png ${url}/screenshot
# To stop it: curl ${header}-X DELETE ${url}`,
    },
  ];
}

function renderKeyHeader({ hasKey }: { readonly hasKey: boolean }): string {
  return hasKey ? '-H "X-API-Key: $BROWSERGRID_API_KEY" ' : "";
}

/** Returns programs that request a browser by connecting. @param parts The pool to request, and whether a key is needed. */
export function createGridSnippets(
  { pool, hasKey }: {
    readonly pool: string | undefined;
    readonly hasKey: boolean;
  },
): readonly Snippet[] {
  const query = pool === undefined
    ? ""
    : `?work_pool_id=${encodeURIComponent(pool)}`;
  const address = `${SERVER_URL.replace(/^http/, "ws")}/v1/connect${query}`;
  const body = pool === undefined ? {} : { work_pool_id: pool };
  const header = renderKeyHeader({ hasKey });
  return [
    ...createClientSnippets(address, hasKey ? KEY_OPTION : undefined, {
      end: "ends the session",
    }),
    {
      title: "curl",
      text: `# Creates a session, and responds when its browser runs
curl -X POST ${header}-H "Content-Type: application/json" \\
  -d ${quote(JSON.stringify(body))} "${SERVER_URL}/v1/sessions?wait=60"`,
    },
  ];
}

/** Returns a text as one argument of a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function createClientSnippets(
  address: string,
  option: string | undefined,
  { end }: {
    /** Effect of the last line. */
    readonly end: string;
  },
): readonly Snippet[] {
  return [{
    title: "Puppeteer",
    text: `import puppeteer from "puppeteer-core";

const browser = await puppeteer.connect({
  browserWSEndpoint: "${address}",${option ? `\n  ${option},` : ""}
});
const page = await browser.newPage();
await page.goto("https://example.com");
console.log(await page.title());
await browser.disconnect(); // ${end}`,
  }, {
    title: "Playwright",
    text: `import { chromium } from "playwright-core";

const browser = await chromium.connectOverCDP(
  "${address}",${option ? `\n  { ${option} },` : ""}
);
const page = await browser.contexts()[0].newPage();
await page.goto("https://example.com");
console.log(await page.title());
await browser.close(); // ${end}`,
  }];
}
