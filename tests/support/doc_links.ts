import Slugger from "github-slugger";
import { marked, type Token } from "marked";
import { dirname, join, relative } from "node:path";
import { ROOT } from "./doc_snippets.ts";

/** Headings and links of a Markdown file. */
interface Outline {
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

/**
 * Returns a line for each broken link of the Markdown `files`: a relative link whose file or heading does not exist, or
 * an absolute one that is no https URL. Sends no request.
 */
export async function findBrokenLinks(
  files: readonly string[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const file of files) {
    const { links } = await readOutline(file);
    for (const link of links) {
      const fault = await checkLink(file, link);
      if (fault) faults.push(`${relative(ROOT, file)}: "${link}" ${fault}`);
    }
  }
  return faults;
}

async function checkLink(
  file: string,
  link: string,
): Promise<string | undefined> {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) {
    const isHttps = URL.canParse(link) && new URL(link).protocol === "https:";
    return isHttps ? undefined : "is not an https URL";
  }
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? file : join(dirname(file), path);
  const found = await Deno.stat(target).catch(() => undefined);
  if (found === undefined) return "leads to no file";
  if (anchor === undefined) return undefined;
  if (!found.isFile || !target.endsWith(".md")) return "leads to no Markdown";
  const { anchors } = await readOutline(target);
  return anchors.has(anchor) ? undefined : "leads to no heading";
}

async function readOutline(file: string): Promise<Outline> {
  const slugger = new Slugger();
  const anchors = new Set<string>();
  const links: string[] = [];
  const tokens = marked.lexer(await Deno.readTextFile(file));
  marked.walkTokens(tokens, (token: Token) => {
    if (token.type === "heading") anchors.add(slugger.slug(plainText(token)));
    if (token.type === "link" || token.type === "image") links.push(token.href);
  });
  return { anchors, links };
}

/** Returns the text of a token without its markup. */
function plainText(token: Token): string {
  if ("tokens" in token && token.tokens) {
    return token.tokens.map(plainText).join("");
  }
  return "text" in token ? token.text : token.raw;
}
