import { statfsSync } from "node:fs";
import { cpus } from "node:os";
import type { Clock } from "../../async/clock.ts";

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

/** Minimum time between two measurements. A worker may report many times a second. */
const PERIOD_MS = 1_000;

/** The use of a host's processors, memory and disk. */
export interface HostUse {
  /** Percentage of all cores; null if the host does not report it. */
  readonly cpu_percent: number | null;
  readonly memory_usage_mb: number;
  /** Null if the host does not report it. */
  readonly disk_usage_mb: number | null;
}

/** Options of a {@linkcode HostMeter}. */
export interface HostMeterOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Folder whose disk is measured. */
  readonly dataDir: string;
}

/** Measures a host, at most once a second. */
export class HostMeter {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #dataDir: string;
  #times = readCpuTimes();
  #measuredAt: number;
  #use: HostUse;

  constructor({ clock, dataDir }: HostMeterOptions) {
    this.#clock = clock;
    this.#dataDir = dataDir;
    this.#measuredAt = clock.monotonic();
    this.#use = this.#measure(null);
  }

  /** Returns the latest measurement, of the time since the one before. */
  read(): HostUse {
    const now = this.#clock.monotonic();
    if (now - this.#measuredAt < PERIOD_MS) return this.#use;
    const times = readCpuTimes();
    this.#use = this.#measure(calculateCpuPercent(this.#times, times));
    this.#times = times;
    this.#measuredAt = now;
    return this.#use;
  }

  #measure(cpu_percent: number | null): HostUse {
    return {
      cpu_percent,
      memory_usage_mb: readUsedMemoryMb(),
      disk_usage_mb: readUsedDiskMb(this.#dataDir),
    };
  }
}

/** Returns the used space of the disk of a folder, in MB; null if the folder does not exist. */
function readUsedDiskMb(folder: string): number | null {
  try {
    const { blocks, bfree, bsize } = statfsSync(folder);
    return Math.round((blocks - bfree) * bsize / 2 ** 20);
  } catch {
    return null;
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
