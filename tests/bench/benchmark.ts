import { type Figure, MAX_TITLE, MIN_RUNS } from "./figure.ts";

/** Values of one run, or of a part of it, by figure. */
export type Run<Id extends string = string> = Readonly<
  Partial<Record<Id, number>>
>;

/** A measurement of several figures in one process. Its module does nothing until `measure` is called. */
export interface Benchmark<Id extends string = string> {
  /** Heading of its figures in the documentation. */
  readonly title: string;
  /** Description of the method for the documentation: sides, samples and load. */
  readonly method: string;
  /** Its figures by id. An id is unique among all benchmarks. */
  readonly figures: Readonly<Record<Id, Figure>>;
  /**
   * Yields the values of each run, at least {@linkcode MIN_RUNS} for each figure. It throws if something other than a
   * limit is wrong, for example if no browser is installed.
   */
  measure(): AsyncIterable<Run<Id>>;
}

/** Values of each figure, one per run. */
export type Values = Readonly<Record<string, readonly number[]>>;

/** Returns the benchmark, with its ids as a type. */
export function defineBenchmark<Id extends string>(
  benchmark: Benchmark<Id>,
): Benchmark<Id> {
  return benchmark;
}

/**
 * Runs the benchmark and collects the values of its figures.
 *
 * @throws {Error} If a figure has too few values or a title that is too long.
 */
export async function collectValues(benchmark: Benchmark): Promise<Values> {
  const values: Record<string, number[]> = {};
  for (const [id, { title }] of Object.entries(benchmark.figures)) {
    if (title.length > MAX_TITLE) {
      throw new Error(
        `Cannot use the title of "${id}": it has ${title.length} characters, expected at most ${MAX_TITLE}`,
      );
    }
    values[id] = [];
  }
  for await (const run of benchmark.measure()) {
    for (const [id, value] of Object.entries(run)) {
      if (value !== undefined) values[id]?.push(value);
    }
  }
  for (const [id, { length }] of Object.entries(values)) {
    if (length < MIN_RUNS) {
      throw new Error(
        `Cannot report "${id}": it has ${length} values, expected at least ${MIN_RUNS}`,
      );
    }
  }
  return values;
}
