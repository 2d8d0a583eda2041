import assert from "node:assert/strict";
import {
  type Figure,
  judge,
  renderLimit,
  renderLine,
  spreadOfRuns,
} from "./figure.ts";

const RATIO: Figure = {
  title: "round trip ÷ direct, p50",
  unit: "ratio",
  limit: { atMost: 1.38 },
  definition: "",
};

/** A line at its widest: the longest title, five digits with a unit, a limit and a missed one. */
const WIDEST: Figure = {
  title: "x".repeat(40),
  unit: "per second",
  limit: { atLeast: 20_000 },
  definition: "",
};

Deno.test("spreadOfRuns() returns the middle of an odd number of values and their extremes", () => {
  assert.deepEqual(spreadOfRuns([9, 1, 5]), { median: 5, min: 1, max: 9 });
});

Deno.test("spreadOfRuns() returns the mean of the two middle values of an even number", () => {
  assert.deepEqual(spreadOfRuns([4, 10, 1, 2]), { median: 3, min: 1, max: 10 });
});

Deno.test("spreadOfRuns() of no values is not a number", () => {
  assert.ok(Object.values(spreadOfRuns([])).every(Number.isNaN));
});

Deno.test("judge() compares the median with the limit, and not the extremes", () => {
  assert.equal(judge({ atMost: 5 }, [1, 5, 9]), "ok");
  assert.equal(judge({ atMost: 4.9 }, [1, 5, 9]), "MISSED");
  assert.equal(judge({ atLeast: 5 }, [1, 5, 9]), "ok");
  assert.equal(judge({ atLeast: 5.1 }, [1, 5, 9]), "MISSED");
});

Deno.test("judge() has no verdict without a limit, and NaN misses every limit", () => {
  assert.equal(judge("none", [1]), "");
  assert.equal(judge({ atMost: 5 }, [NaN, NaN, NaN]), "MISSED");
  assert.equal(judge({ atLeast: 5 }, []), "MISSED");
});

Deno.test("renderLine() has title, median, spread, limit and verdict", () => {
  assert.equal(
    renderLine(RATIO, [1.4, 1.35, 1.384]).replaceAll(/ +/g, " "),
    "round trip ÷ direct, p50 1.384 (1.350–1.400) ≤ 1.38 MISSED",
  );
  assert.equal(
    renderLine({ ...RATIO, limit: "none" }, [1, 2, 3]).replaceAll(/ +/g, " "),
    "round trip ÷ direct, p50 2.000 (1.000–3.000)",
  );
});

Deno.test("renderLine() fits into 80 columns", () => {
  const line = renderLine(WIDEST, [2_034, 1_987, 2_101]);
  assert.equal(line.length, 80);
});

Deno.test("values have as many digits as their unit and size need", () => {
  const render = (unit: Figure["unit"], value: number) =>
    renderLine({ ...RATIO, title: "", unit, limit: "none" }, [value]).trim();
  assert.equal(render("ms", 9.876), "9.88 ms (9.88–9.88)");
  assert.equal(render("MB", 98.76), "98.8 MB (98.8–98.8)");
  assert.equal(render("per second", 2034.4), "2,034/s (2,034–2,034)");
  assert.equal(render("µs", 987.6), "988 µs (988–988)");
  assert.equal(render("count", 50), "50 (50–50)");
});

Deno.test("renderLimit() shows the bound with its unit, and nothing without a limit", () => {
  const limits = [{ atMost: 0.05 }, { atLeast: 2_000 }, "none"] as const;
  assert.deepEqual(
    limits.map((limit) => renderLimit({ ...RATIO, unit: "per second", limit })),
    ["≤ 0.05/s", "≥ 2,000/s", ""],
  );
});
