/** Prints how long something took: median and 90th percentile of `times`, in milliseconds. */
export function report(name: string, times: readonly number[]): void {
  const [p50, p90] = [0.5, 0.9].map((q) => quantile(times, q).toFixed(0));
  print(`${name}: p50 ${p50} ms, p90 ${p90} ms (${times.length} rounds)`);
}

/** The value below which the share `q` of `times` lies. */
export function quantile(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
}

/** Prints a line of the result. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
