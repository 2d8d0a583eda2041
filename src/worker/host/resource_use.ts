import { cpus } from "node:os";

/** Times of a host's processors since its start, summed. */
export interface CpuTimes {
  readonly idle: number;
  readonly all: number;
}

/**
 * Returns the processor time that was used between two readings, in percent of all cores; null if no time has passed.
 */
export function calculateCpuPercent(
  before: CpuTimes,
  after: CpuTimes,
): number | null {
  const all = after.all - before.all;
  const idle = after.idle - before.idle;
  if (all <= 0) return null;
  return Math.round(Math.min(1, Math.max(0, 1 - idle / all)) * 1_000) / 10;
}

/** Measures the processor use of a host between calls. */
export class HostCpuMeter {
  #last = readCpuTimes();

  /** Returns the percentage; null if no time has passed or the host does not report it. */
  percent(): number | null {
    const now = readCpuTimes();
    const percent = calculateCpuPercent(this.#last, now);
    if (percent !== null) this.#last = now;
    return percent;
  }
}

/** Returns the used memory of the host, in MB. */
export function readUsedMemoryMb(): number {
  const { total, available } = Deno.systemMemoryInfo();
  return Math.round((total - available) / 2 ** 20);
}

function readCpuTimes(): CpuTimes {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, all };
}
