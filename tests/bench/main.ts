/**
 * Runs the benchmarks that are named, or all, each in a process of its own. Ends with code 1 if a limit is missed.
 *
 * ```text
 * deno task bench                  all of them
 * deno task bench gateway visits   those that are named
 * deno task bench --json FILE      adds the results to a file
 * deno task bench --write          renews the figures of the documentation
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Benchmark, Values } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks.ts";
import { judge, renderLine } from "./figure.ts";
import { renderMachine } from "./machine.ts";
import { RESULTS, storeResult } from "./results.ts";
import { runSeparately } from "./run_separately.ts";
import { print } from "./times.ts";

const { values: { json, write }, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  const expected = Object.keys(BENCHMARKS).join(", ");
  print(`Unknown: ${unknown.join(", ")}; expected ${expected}`);
  Deno.exit(2);
}
const file = write ? RESULTS : json;
const missed: string[] = [];
for (const [name, load] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  print(`\n${name}`);
  const { benchmark } = await load();
  const measured = await runSeparately(name);
  if (measured !== undefined && file !== undefined) {
    await storeResult(file, name, measured);
  }
  if (measured !== undefined) print(renderMachine(measured.machine));
  if (!report(benchmark, measured?.values)) missed.push(name);
}
if (write) await import("../../.ci/docs/main.ts");
if (missed.length > 0) print(`\nMissed or failed: ${missed.join(", ")}`);
Deno.exit(missed.length > 0 ? 1 : 0);

/** Prints a line for each figure. Returns false if one misses its limit or was not measured. */
function report({ figures }: Benchmark, values: Values = {}): boolean {
  let isOk = true;
  for (const [id, figure] of Object.entries(figures)) {
    const runs = values[id];
    if (runs !== undefined) print(renderLine(figure, runs));
    isOk &&= runs !== undefined && judge(figure.limit, runs) !== "MISSED";
  }
  return isOk;
}
