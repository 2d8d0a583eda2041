/**
 * The page of the dashboard and its files, which `deno task dashboard` builds from `page/`. They are parts of the
 * program and contact no other host. Loaded by the first request, to save memory.
 *
 * @module
 */
import script from "./assets/app.js" with { type: "text" };
import style from "./assets/app.css" with { type: "text" };
import template from "./page.html" with { type: "text" };

/** Sources of the page's parts: only its own files and this server; no script or style in the page. */
const SOURCES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
];

/** Headers of the page. A new version of the program has files of other names, so that no page may be kept. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = createHeaders([
  "img-src 'self' data:",
  "frame-ancestors 'none'",
]);

/**
 * Returns the headers of the page of a link to the live view, which people open without a key. Unlike the others, pages of
 * `frameAncestors` may embed it.
 */
export function createLivePageHeaders(
  frameAncestors: readonly string[],
): Readonly<Record<string, string>> {
  const ancestors = frameAncestors.length === 0
    ? "'none'"
    : frameAncestors.join(" ");
  return {
    ...createHeaders([
      "img-src 'self' data: blob:",
      `frame-ancestors ${ancestors}`,
    ]),
    "referrer-policy": "no-referrer",
  };
}

function createHeaders(
  directives: readonly string[],
): Readonly<Record<string, string>> {
  return {
    "content-security-policy": [...SOURCES, ...directives].join("; "),
    "cache-control": "no-store",
  };
}

/** A file of the page. */
export interface Asset {
  /** Changes with the content, so that browsers may keep the file. */
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** Number of bytes of a content's hash in a name. */
const HASH_BYTES = 8;

const assets = {
  script: await createAsset("js", "text/javascript; charset=utf-8", script),
  style: await createAsset("css", "text/css; charset=utf-8", style),
};

/** Returns the file of a name, if there is one. */
export function findAsset(name: string): Asset | undefined {
  return Object.values(assets).find((asset) => asset.name === name);
}

/** Returns the page. @param prefix Path under which the client reaches the server, without a slash at the end. */
export function renderPage(prefix: string): string {
  const values: Readonly<Record<string, string>> = {
    prefix: prefix.replaceAll("&", "&amp;").replaceAll('"', "&quot;"),
    script: assets.script.name,
    style: assets.style.name,
  };
  return template.replaceAll(
    /__([a-z]+)__/g,
    (_, name) => values[name] ?? "",
  );
}

async function createAsset(
  extension: string,
  type: string,
  text: string,
): Promise<Asset> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  const hash = new Uint8Array(digest, 0, HASH_BYTES).toHex();
  return { name: `app-${hash}.${extension}`, type, text };
}
