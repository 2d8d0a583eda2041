import type { Footprint, ProcessFootprint } from "./footprint.ts";

/**
 * Maximum growth of a process's objects from the first third of a run to the last: compiled code and caches take 1 to 2
 * MB. At the visit rate of a machine with two cores, a leak of 2 kB a visit exceeds it in 30 minutes.
 */
const LIVE_GROWTH_MB = 4;

/** Maximum growth of its resident memory, most of which is garbage that is not collected yet. */
const RESIDENT_GROWTH_MB = 48;

/** One line of the verdict. */
export interface Finding {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  /** Most that it may be afterwards. */
  readonly limit: number;
}

/** True if the value is within its limit. */
export function isFine({ after, limit }: Finding): boolean {
  return after <= limit;
}

/** Compares counts that must not grow with those of the idle grid before the run. */
export function compareCounts(before: Footprint, after: Footprint): Finding[] {
  const findings = Object.entries(after.traces).map(([kind, count]) => {
    const was = before.traces[kind as keyof Footprint["traces"]];
    return { what: `${kind} traces`, before: was, after: count, limit: was };
  });
  for (const [name, now] of Object.entries(after.processes)) {
    for (const kind of ["files", "sockets"] as const) {
      const was = before.processes[name]?.[kind] ?? NaN;
      findings.push({
        what: `${kind} of the ${name}`,
        before: was,
        after: now[kind],
        limit: was,
      });
    }
  }
  return findings;
}

/** Growth of memory from the first third of a run under load to its last: medians, as one moment says little. */
export function measureGrowth(run: readonly Footprint[]): Finding[] {
  const third = Math.max(1, Math.floor(run.length / 3));
  const names = Object.keys(run[0]?.processes ?? {});
  return names.flatMap((name) => {
    const during = run.flatMap(({ processes }) => processes[name] ?? []);
    const finding = (
      what: string,
      growth: number,
      size: (footprint: ProcessFootprint) => number,
    ): Finding => {
      const before = median(during.slice(0, third).map(size));
      const after = median(during.slice(-third).map(size));
      return {
        what: `${what} of the ${name}, MB`,
        before,
        after,
        limit: before + growth,
      };
    };
    return [
      finding("objects", LIVE_GROWTH_MB, ({ liveMb }) => liveMb),
      finding("memory", RESIDENT_GROWTH_MB, ({ residentMb }) => residentMb),
    ];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
