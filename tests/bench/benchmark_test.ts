import assert from "node:assert/strict";
import { type Benchmark, collectValues, type Run } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks.ts";
import type { Figure } from "./figure.ts";

const FIGURE: Figure = {
  title: "a figure",
  unit: "ms",
  limit: { atMost: 1 },
  definition: "",
};

const benchmarks = await Promise.all(
  Object.values(BENCHMARKS).map(async (load) => (await load()).benchmark),
);

Deno.test("collectValues() collects the values of each figure in the order of the runs", async () => {
  const values = await collectValues(
    withRuns([{ one: 1, other: 4 }, { one: 2 }, { other: 5 }, {
      one: 3,
      other: 6,
    }]),
  );
  assert.deepEqual(values, { one: [1, 2, 3], other: [4, 5, 6] });
});

Deno.test("collectValues() rejects a figure with fewer than three values", async () => {
  await assert.rejects(
    collectValues(withRuns([{ one: 1, other: 4 }, { one: 2 }, { one: 3 }])),
    /Cannot report "other": it has 1 values, expected at least 3/,
  );
});

Deno.test("collectValues() rejects a title that does not fit on a line before it measures", async () => {
  const measured: string[] = [];
  const benchmark: Benchmark = {
    ...withRuns([]),
    figures: { one: { ...FIGURE, title: "x".repeat(41) } },
    // deno-lint-ignore require-yield -- it must not be called
    async *measure() {
      measured.push("one");
    },
  };
  await assert.rejects(collectValues(benchmark), /41 characters/);
  assert.deepEqual(measured, []);
});

Deno.test("each id and each title belongs to one figure of one benchmark", () => {
  const figures = benchmarks.flatMap(({ figures }) => Object.entries(figures));
  const ids = figures.map(([id]) => id);
  const titles = figures.map(([, { title }]) => title);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(titles).size, titles.length);
});

Deno.test("each figure has a title of at most 40 characters and a definition", () => {
  for (const { figures } of benchmarks) {
    for (const [id, { title, definition }] of Object.entries(figures)) {
      assert.ok(title.length <= 40, id);
      assert.match(definition, /\.$/, id);
    }
  }
});

/** A benchmark of two figures that yields `runs`. */
function withRuns(runs: readonly Run[]): Benchmark {
  return {
    title: "Test",
    method: "",
    figures: { one: FIGURE, other: FIGURE },
    async *measure() {
      yield* await Promise.resolve(runs);
    },
  };
}
