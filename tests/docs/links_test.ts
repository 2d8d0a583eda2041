import assert from "node:assert/strict";
import { join } from "node:path";
import { findBrokenLinks } from "../support/doc_links.ts";
import { documents, ROOT } from "../support/doc_snippets.ts";

Deno.test("every link of the documentation leads to a file and a heading that exist", async () => {
  const files = [...await documents(), join(ROOT, "CHANGELOG.md")];
  assert.deepEqual(await findBrokenLinks(files), []);
});

Deno.test("findBrokenLinks() reports missing files, missing headings and addresses other than https", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-links-" });
  const page = join(folder, "page.md");
  await Deno.writeTextFile(
    page,
    `# A \`page\` of /v1
## Twice
## Twice
[self](#a-page-of-v1) [second](page.md#twice-1) [out](https://site.example/)
[file](other.md) [heading](page.md#other) [plain](http://site.example/)

\`\`\`md
[in code](nowhere.md)
\`\`\`
`,
  );
  try {
    const faults = await findBrokenLinks([page]);
    assert.deepEqual(faults.map((fault) => fault.replace(/^.*?: /, "")), [
      '"other.md" leads to no file',
      '"page.md#other" leads to no heading',
      '"http://site.example/" is not an https URL',
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
