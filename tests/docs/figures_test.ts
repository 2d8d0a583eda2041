import assert from "node:assert/strict";
import { join } from "node:path";
import { BENCHMARKS } from "../bench/benchmarks.ts";
import { renderLimit } from "../bench/figure.ts";
import { ROOT } from "../support/doc_snippets.ts";

/** Ids of the figures that the project promises. */
const PROMISED = [
  ...["cold_connect", "cold_page", "cold_page_many", "warm_connect"],
  ...["create_warm_p50", "create_warm_p99", "cycle_alone", "cycle_at_once"],
  ...["gateway_trip_p50", "gateway_trip_p99", "tunnel_trip_p50"],
  ...["gateway_results", "gateway_uploads", "gateway_busy_p995"],
  ...["idle_clients_mb", "api_rate", "api_p99", "api_load_delay"],
  ...["claims_one_pool", "claims_one_pool_create", "claims_one_pool_claim"],
  ...["claims_100_pools", "claims_100_pools_create", "claims_100_pools_claim"],
  ...["serve_ready", "serve_rss", "serve_pss", "serve_worker_pss"],
  ...["version_cpu", "help_cpu", "pool_list_cpu"],
  ...["scale_calls", "remote_ratio", "overload_rate"],
  ...["visits_rate", "isolated_start"],
];

const benchmarks = await Promise.all(
  Object.values(BENCHMARKS).map(async (load) => (await load()).benchmark),
);
const figures = benchmarks.flatMap((each) => Object.values(each.figures));

Deno.test("the page of figures has a row with the limit of every figure that a benchmark declares", async () => {
  const rows = await readRows("docs/performance.md");
  for (const figure of figures) {
    const row = rows.find(([title]) => title === figure.title);
    assert.equal(row?.[1], renderLimit(figure), figure.title);
  }
});

Deno.test("each promised figure is measured against a limit", () => {
  for (const id of PROMISED) {
    const found = benchmarks.find((each) => id in each.figures)?.figures[id];
    assert.ok(found, `no benchmark declares ${id}`);
    assert.notEqual(found.limit, "none", id);
  }
});

Deno.test("the page of figures and the README have no figure that no benchmark declares", async () => {
  const titles = figures.map(({ title }) => title);
  for (const page of ["docs/performance.md", "README.md"]) {
    for (const [title = ""] of await readRows(page)) {
      assert.ok(titles.includes(title), `${page}: ${title}`);
    }
  }
});

Deno.test("the README shows only figures with a limit", async () => {
  const rows = await readRows("README.md");
  assert.ok(rows.length > 0);
  for (const [title = "", limit] of rows) assert.ok(limit, title);
});

/** Returns the cells of each row of a page's tables of figures. */
async function readRows(page: string): Promise<readonly string[][]> {
  const text = await Deno.readTextFile(join(ROOT, page));
  const [, part = ""] = /<!-- generated: figures -->([^]*?)<!-- \/generated -->/
    .exec(text) ?? [];
  return part.split("\n").filter((line) => /^\| (?!figure|-)/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}
