import assert from "node:assert/strict";
import { MetricRegistry } from "../../../src/core/metrics/registry.ts";
import { SeriesMap } from "../../../src/core/metrics/series.ts";

const THINGS = {
  name: "things_total",
  help: "Things",
  labels: { pool: "Name of the work pool", kind: "Kind" },
  scope: "process",
} as const;

Deno.test("a counter has a count for each combination of labels", () => {
  const counter = new MetricRegistry().counter(THINGS);
  const count = counter.of("a", "x");
  count.add();
  count.add(2);
  counter.of("a", "y").add();
  assert.equal(counter.of("a", "x"), count);
  assert.deepEqual([...counter.read()], [
    { labels: ["a", "x"], value: 3 },
    { labels: ["a", "y"], value: 1 },
  ]);
});

Deno.test("a histogram counts a value in the first bucket whose bound it does not exceed", () => {
  const histogram = new MetricRegistry().histogram(
    { ...THINGS, name: "time_seconds", labels: {} },
    [1, 2],
  );
  for (const value of [-5, 0, 1, 1.5, 2, 2.1, Infinity]) {
    histogram.of().observe(value);
  }
  const [sample] = histogram.read();
  assert.deepEqual([...Array.from(sample?.counts ?? [])], [3, 2, 2]);
  assert.equal(sample?.sum, Infinity);
});

Deno.test("a registry rejects names that a scraper would reject, and a name that is taken", () => {
  const registry = new MetricRegistry();
  registry.counter(THINGS);
  const wrong = [
    THINGS,
    { ...THINGS, name: "things" },
    { ...THINGS, name: "Things_total" },
    { ...THINGS, name: 'x"} 1\ny_total' },
    { ...THINGS, name: "a_total", labels: { le: "Bound" } },
    { ...THINGS, name: "a_total", labels: { "a b": "Text" } },
  ];
  for (const declaration of wrong) {
    assert.throws(() => registry.counter(declaration), TypeError);
  }
  assert.throws(() => registry.histogram(THINGS, [1]), TypeError);
});

Deno.test("keepPools() forgets what was counted for other work pools", () => {
  const registry = new MetricRegistry();
  const counter = registry.counter(THINGS);
  const other = registry.counter({
    ...THINGS,
    name: "other_total",
    labels: { kind: "Kind" },
  });
  counter.of("gone", "x").add();
  counter.of("kept", "gone").add();
  other.of("gone").add();
  registry.keepPools((id) => id === "kept");
  assert.deepEqual([...counter.read()].map(({ labels }) => labels), [
    ["kept", "gone"],
  ]);
  assert.equal([...other.read()].length, 1);
});

Deno.test("a metric keeps at most 10,000 series, the latest ones", () => {
  const series = new SeriesMap(() => ({}));
  for (let at = 0; at <= 10_000; at++) series.of([String(at)]);
  const kept = [...series.entries()].map(({ labels: [label] }) => label);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [10_000, "1", "10000"]);
});
