import assert from "node:assert/strict";
import { relative } from "node:path";
import { documents, ROOT } from "../support/doc_snippets.ts";

/** Longest README, in lines: a reader decides in a minute. */
const README_LINES = 150;

/** Longest page, without code and what is generated. */
const PAGE_LINES = 250;

/** Length of a page that a terminal shows without a table of contents. */
const SCREEN_LINES = 45;

/** Widest line outside of code. Links cannot be wrapped. */
const COLUMNS = 100;

/** Widest table. */
const TABLE_COLUMNS = 81;

/** Widest line of generated parts. */
const GENERATED_COLUMNS = 115;

const pages = await Promise.all(
  (await documents()).map(async (file) => ({
    name: relative(ROOT, file),
    text: await Deno.readTextFile(file),
  })),
);

Deno.test("the README has at most 150 lines", () => {
  const { text = "" } = pages.find(({ name }) => name === "README.md") ?? {};
  assert.ok(text.split("\n").length - 1 <= README_LINES);
});

Deno.test("each page of the documentation is short, or has a table of contents", () => {
  for (const { name, text } of pages) {
    if (name === "README.md" || name === "CHANGELOG.md") continue;
    const written = withoutGenerated(text);
    const prose = withoutCode(written).split("\n").length;
    assert.ok(prose <= PAGE_LINES, `${name} has ${prose} lines`);
    const lines = written.split("\n").length;
    const hasContents = /^- \[.*\]\(#.*\)$/m.test(text);
    assert.ok(lines <= SCREEN_LINES || hasContents, `${name} has no contents`);
  }
});

Deno.test("a table of contents lists each section of its page, in order", () => {
  for (const { name, text } of pages) {
    const [contents] = /(?:^- \[.*\]\(#.*\)\n)+/m.exec(text) ?? [];
    if (contents === undefined) continue;
    const sections = [...withoutCode(text).matchAll(/^## (.*)$/gm)].map((
      [, title],
    ) => title);
    const listed = [...contents.matchAll(/^- \[(.*)\]/gm)].map(([, title]) =>
      title
    );
    assert.deepEqual(listed, sections, name);
  }
});

Deno.test("each page of the documentation can be read in a terminal", () => {
  for (const { name, text } of pages) {
    for (const line of withoutCode(text).split("\n")) {
      assert.ok(line.length <= GENERATED_COLUMNS, `${name}: ${line}`);
    }
    for (const line of withoutGenerated(withoutCode(text)).split("\n")) {
      const columns = line.startsWith("|") ? TABLE_COLUMNS : COLUMNS;
      assert.ok(line.length <= columns, `${name}: ${line}`);
    }
  }
});

function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

function withoutGenerated(text: string): string {
  return text.replaceAll(
    /<!-- generated: [^]*?<!-- \/generated -->/g,
    "",
  );
}
