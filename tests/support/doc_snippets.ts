import { fileURLToPath } from "node:url";
import { join, relative } from "node:path";

/** Folder of the project. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Languages of snippets that users copy and run. */
const RUN = new Set(["js", "ts", "sh", "bash", "console", "python"]);

/** A snippet that users copy and run. */
export interface Snippet {
  /** File and line, for messages. */
  readonly place: string;
  readonly text: string;
}

/** Returns the snippets of README.md, CONTRIBUTING.md and the folder `docs`. */
export async function docSnippets(): Promise<readonly Snippet[]> {
  const found: Snippet[] = [];
  for (const file of await documents()) {
    const text = await Deno.readTextFile(file);
    for (
      const { 1: indent = "", 2: language = "", 3: body = "", index } of text
        .matchAll(/^( *)```(\w+)\n([^]*?)^ *```$/gm)
    ) {
      if (!RUN.has(language)) continue;
      const line = text.slice(0, index).split("\n").length;
      found.push({
        place: `${relative(ROOT, file)}:${line}`,
        text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      });
    }
  }
  return found;
}

/** Returns the Markdown files of the documentation. */
export async function documents(): Promise<readonly string[]> {
  const docs = await Array.fromAsync(Deno.readDir(join(ROOT, "docs")))
    .catch(() => []);
  return [
    join(ROOT, "README.md"),
    join(ROOT, "CONTRIBUTING.md"),
    ...docs.filter(({ name }) => name.endsWith(".md"))
      .map(({ name }) => join(ROOT, "docs", name)),
  ];
}
