/**
 * Runs one benchmark: `run.ts NAME FILE`. Writes the values of its figures to FILE as JSON.
 *
 * @module
 */
import { collectValues } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks.ts";

const [name = "", file = ""] = Deno.args;
const load = BENCHMARKS[name];
if (load === undefined) throw new Error(`Cannot run "${name}": no benchmark`);
const { benchmark } = await load();
const values = await collectValues(benchmark);
await Deno.writeTextFile(file, JSON.stringify(values));
Deno.exit(0);
