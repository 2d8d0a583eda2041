import { z } from "zod";
import { BENCHMARKS } from "./benchmarks.ts";
import type { Measured } from "./run_separately.ts";

/** Significant digits of a stored value. */
const DIGITS = 5;

const resultSchema = z.object({
  measured_on: z.iso.date(),
  cores: z.int(),
  /** Share of the CPU that other processes used during the measurement. */
  others: z.number(),
  /** Values of each figure, one per run. */
  figures: z.record(z.string(), z.array(z.number())),
});

const resultsSchema = z.record(z.string(), resultSchema);

/** Last result of a benchmark. */
export type BenchmarkResult = z.infer<typeof resultSchema>;

/** Last result of each benchmark, by its name. */
export type Results = Readonly<Record<string, BenchmarkResult>>;

/** The results that the documentation shows. `deno task bench --write` renews those of the benchmarks that it runs. */
export const RESULTS = new URL("results.json", import.meta.url);

/** Reads the results of a file; a file that does not exist has none. */
export async function readResults(file: URL | string): Promise<Results> {
  try {
    return resultsSchema.parse(JSON.parse(await Deno.readTextFile(file)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/**
 * Stores the values of the benchmark `name` with today's date, and keeps the results of the other benchmarks that there
 * are.
 */
export async function storeResult(
  file: URL | string,
  name: string,
  { values, machine }: Measured,
): Promise<void> {
  const figures = Object.entries(values).map(([id, runs]) =>
    [id, runs.map(round)] as const
  );
  const result: BenchmarkResult = {
    measured_on: new Date().toISOString().slice(0, 10),
    cores: machine.cores,
    others: round(machine.others),
    figures: Object.fromEntries(figures),
  };
  const results = { ...await readResults(file), [name]: result };
  const sorted = Object.fromEntries(
    Object.entries(results).filter(([name]) => name in BENCHMARKS).sort(),
  );
  await Deno.writeTextFile(file, `${JSON.stringify(sorted, null, 2)}\n`);
}

function round(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
