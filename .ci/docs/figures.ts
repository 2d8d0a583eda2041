import type { Benchmark } from "../../tests/bench/benchmark.ts";
import { BENCHMARKS } from "../../tests/bench/benchmarks.ts";
import {
  type Figure,
  judge,
  renderLimit,
  renderRange,
  renderValue,
  spreadOfRuns,
} from "../../tests/bench/figure.ts";
import {
  type BenchmarkResult,
  readResults,
  RESULTS,
} from "../../tests/bench/results.ts";
import { renderTable } from "./markdown.ts";

/** Ids of the figures that the README shows, in its order. */
const README_FIGURES = [
  "cold_connect",
  "warm_connect",
  "cycle_alone",
  "gateway_trip_p50",
  "gateway_results",
  "idle_clients_mb",
  "api_rate",
  "claims_one_pool",
];

const HEAD = ["figure", "limit", "median", "spread"];

/** A benchmark and its last result. */
interface MeasuredBenchmark {
  readonly name: string;
  readonly benchmark: Benchmark;
  readonly result: BenchmarkResult | undefined;
}

/** Renders the figures of every benchmark: method, table and definitions. */
export async function renderFigures(): Promise<string> {
  const measured = await readMeasured();
  return measured.map((each) => {
    const { benchmark: { title, method, figures }, result } = each;
    const rows = Object.entries(figures).map(([id, figure]) =>
      renderRow(figure, result?.figures[id])
    );
    return [
      `### ${title}`,
      `${method} ${renderResult(each)}`,
      renderTable(HEAD, rows),
      renderDefinitions(Object.values(figures)),
    ].join("\n\n");
  }).join("\n\n");
}

/**
 * Renders the table of the README.
 *
 * @throws {Error} If no benchmark declares one of its figures.
 */
export async function renderReadmeFigures(): Promise<string> {
  const measured = await readMeasured();
  const rows = README_FIGURES.map((id) => {
    const found = measured.find(({ benchmark }) => id in benchmark.figures);
    const figure = found?.benchmark.figures[id];
    if (!figure) throw new Error(`Cannot show figure "${id}": not declared`);
    return renderRow(figure, found.result?.figures[id]);
  });
  return renderTable(HEAD, rows);
}

async function readMeasured(): Promise<readonly MeasuredBenchmark[]> {
  const results = await readResults(RESULTS);
  return Promise.all(
    Object.entries(BENCHMARKS).map(async ([name, load]) => ({
      name,
      benchmark: (await load()).benchmark,
      result: results[name],
    })),
  );
}

function renderRow(
  figure: Figure,
  values: readonly number[] | undefined,
): readonly string[] {
  const limit = renderLimit(figure);
  if (values === undefined) return [figure.title, limit, "not measured", ""];
  const isMissed = judge(figure.limit, values) === "MISSED";
  const spread = spreadOfRuns(values);
  return [
    figure.title,
    limit,
    `${renderValue(spread.median, figure.unit)}${isMissed ? ", missed" : ""}`,
    renderRange(spread, figure.unit),
  ];
}

/** Renders the command, the date and the machine of a result. */
function renderResult({ name, result }: MeasuredBenchmark): string {
  if (result === undefined) return `Run by \`deno task bench ${name}\`.`;
  const { measured_on, cores, others } = result;
  return `Measured by \`deno task bench ${name}\` on ${measured_on}, on ${cores} cores of which other processes used ${
    (others * 100).toFixed(0)
  } %.`;
}

/** Renders one entry for each definition, with the titles of the figures that share it. */
function renderDefinitions(figures: readonly Figure[]): string {
  const titles = new Map<string, string[]>();
  for (const { title, definition } of figures) {
    titles.set(definition, [...titles.get(definition) ?? [], title]);
  }
  return [...titles].map(([definition, titles]) =>
    `- ${titles.map((title) => `**${title}**`).join(", ")}: ${definition}`
  ).join("\n");
}
