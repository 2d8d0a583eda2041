import type { ContainerStats } from "dockerode";
import { z } from "zod";

const MEBIBYTE = 2 ** 20;

/** Counters of a container's disks: `read` and `write` with cgroup v2, `Read` and `Write` with v1. */
const diskEntriesSchema = z.array(
  z.object({ op: z.string(), value: z.number() }),
).nullable();

/** Measures the CPU use of a container between two samples, for the first one since its start. */
export class ContainerCpuMeter {
  #cpuNs = 0;
  #at: number;

  constructor(startedAt: number) {
    this.#at = startedAt;
  }

  /** Returns the use since the last sample; 100 is one core. */
  percent(sample: ContainerStats): number {
    const at = Date.parse(sample.read);
    const cpuNs = sample.cpu_stats.cpu_usage.total_usage;
    const elapsedMs = at - this.#at;
    const usedMs = (cpuNs - this.#cpuNs) / 1e6;
    this.#cpuNs = cpuNs;
    this.#at = at;
    return elapsedMs > 0 ? Math.max(0, 100 * usedMs / elapsedMs) : 0;
  }
}

/** Reports whether the engine has measured the container. A busy engine may return a sample without values. */
export function isMeasured({ memory_stats: memory }: ContainerStats): boolean {
  const usage: unknown = memory.usage;
  return typeof usage === "number";
}

/** Returns the used memory without the reclaimable file cache, like `docker stats`. */
export function readMemoryMb({ memory_stats: memory }: ContainerStats): number {
  // cgroup v1, then v2.
  const cache = memory.stats?.total_inactive_file ??
    memory.stats?.inactive_file ?? 0;
  return Math.max(0, memory.usage - cache) / MEBIBYTE;
}

/** Returns the bytes received and sent over all networks of the container. */
export function readNetworkBytes(
  { networks = {} }: ContainerStats,
): { networkRxBytes: number; networkTxBytes: number } {
  let networkRxBytes = 0;
  let networkTxBytes = 0;
  for (const network of Object.values(networks)) {
    networkRxBytes += network.rx_bytes;
    networkTxBytes += network.tx_bytes;
  }
  return { networkRxBytes, networkTxBytes };
}

/** Returns the bytes read from and written to disks. Absent if the engine does not count them. */
export function readDiskBytes(
  { blkio_stats: disks }: ContainerStats,
): { diskReadBytes?: number; diskWriteBytes?: number } {
  const entries = diskEntriesSchema.parse(
    disks?.io_service_bytes_recursive ?? null,
  );
  if (!entries) return {};
  const sum = (name: string) =>
    entries.filter(({ op }) => op.toLowerCase() === name)
      .reduce((total, { value }) => total + value, 0);
  return { diskReadBytes: sum("read"), diskWriteBytes: sum("write") };
}
