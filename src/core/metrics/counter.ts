import type { MetricDeclaration, Sample } from "./declaration.ts";
import { SeriesMap } from "./series.ts";

/** A number that only grows. */
export class Count {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

/** A metric that counts. A frequent caller keeps the {@linkcode Count} of its labels. */
export class Counter {
  readonly type = "counter";
  readonly declaration: MetricDeclaration;
  readonly series: SeriesMap<Count> = new SeriesMap(() => new Count());

  constructor(declaration: MetricDeclaration) {
    this.declaration = declaration;
  }

  /** Returns the count of a combination of labels. */
  of(...labels: readonly string[]): Count {
    return this.series.of(labels);
  }

  *read(): Iterable<Sample> {
    for (const { labels, value: { value } } of this.series.entries()) {
      yield { labels, value };
    }
  }
}
