import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { ROOT } from "./doc_snippets.ts";

/** Pages whose examples are files, which `tests/docs/recipes_test.ts` runs. */
export const RECIPE_PAGES = [
  "docs/recipes.md",
  "docs/add-a-provider.md",
  "docs/add-an-app.md",
] as const;

/** Parts of the project that a copy needs to run the recipes of the documentation. */
const COPIED = [
  "src",
  "migrations",
  "tests/apps",
  "tests/cli",
  "tests/client",
  "tests/support",
  "main.ts",
  "deno.json",
  "deno.lock",
  ".ci",
];

/** A copy of the sources. Disposal removes it. */
export interface ProjectCopy extends AsyncDisposable {
  readonly folder: string;
}

/** Copies the sources of the project to a temporary folder. */
export async function copyProject(): Promise<ProjectCopy> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-recipes-" });
  for (const part of COPIED) {
    const target = join(folder, part);
    await Deno.mkdir(dirname(target), { recursive: true });
    const { success } = await new Deno.Command("cp", {
      args: ["-r", join(ROOT, part), target],
    }).output();
    assert.ok(success, part);
  }
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/**
 * Applies the recipes of a page to a copy: a `ts` block is saved as the file that the text before it names; the lines
 * with a plus of a `diff` block are inserted into that file. Returns the paths of the new files.
 */
export async function applyRecipes(
  page: string,
  { folder }: ProjectCopy,
): Promise<readonly string[]> {
  const text = await Deno.readTextFile(join(ROOT, page));
  const created: string[] = [];
  let path: string | undefined;
  for (
    const { 1: file, 2: language, 3: body = "" } of text.matchAll(
      /`((?:src|tests)\/[\w/]+\.ts)`|^```(\w+)\n([^]*?)^```$/gm,
    )
  ) {
    if (file !== undefined) path = file;
    if (language === undefined) continue;
    if (path !== undefined && language === "ts") {
      await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
      await Deno.writeTextFile(join(folder, path), body);
      created.push(path);
    }
    if (path !== undefined && language === "diff") {
      const target = join(folder, path);
      await Deno.writeTextFile(
        target,
        insertLines(await Deno.readTextFile(target), body),
      );
    }
    path = undefined;
  }
  return created;
}

/** Inserts the lines with a plus after the line before them, or before the line that follows. */
export function insertLines(text: string, diff: string): string {
  const lines = text.split("\n");
  let at = 0;
  const pending: string[] = [];
  for (const line of diff.trimEnd().split("\n")) {
    const content = line.slice(1);
    if (line.startsWith("+")) {
      pending.push(content);
      continue;
    }
    const found = lines.findIndex((each, index) =>
      index >= at && each.trim() === content.trim()
    );
    assert.ok(found >= 0, `the file has no line "${content}"`);
    const position = at === 0 ? found : at;
    lines.splice(position, 0, ...pending);
    at = found + pending.length + 1;
    pending.length = 0;
  }
  lines.splice(at, 0, ...pending);
  return lines.join("\n");
}
