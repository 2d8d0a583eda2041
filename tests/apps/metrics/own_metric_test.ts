import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { docSnippets } from "../../support/doc_snippets.ts";
import { testGrid } from "../../support/grid.ts";
import { scrape } from "../../support/metrics.ts";

Deno.test("the documentation's own metric is counted and scraped", async () => {
  const snippets = await docSnippets();
  const found = snippets.find(({ text }) =>
    text.includes("core.metrics.counter(")
  );
  assert.ok(found, "the documentation has no such snippet");
  await using grid = await testGrid();
  const { id } = await createApiClient(grid).pool();
  new Function("core", "workPoolId", found.text)(grid.core, id);
  const values = await scrape(grid);
  const series = [...values.keys()].filter((each) =>
    each.includes("artifacts_uploads_total")
  );
  assert.deepEqual(series.map((each) => values.get(each)), [1]);
});
