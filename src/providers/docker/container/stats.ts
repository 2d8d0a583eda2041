import type { ContainerStats } from "dockerode";

const MEBIBYTE = 2 ** 20;

/** CPU use between two samples; the first is compared with the container's start. */
export class ContainerCpuMeter {
  #cpuNs = 0;
  #at: number;

  constructor(startedAt: number) {
    this.#at = startedAt;
  }

  /** 100 is one core. */
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

/** Memory in use without the file cache that the kernel can take back, as `docker stats` shows it. */
export function readMemoryMb({ memory_stats: memory }: ContainerStats): number {
  // The first member is of cgroup v1, the second of v2.
  const cache = memory.stats?.total_inactive_file ??
    memory.stats?.inactive_file ?? 0;
  return Math.max(0, memory.usage - cache) / MEBIBYTE;
}

/** Bytes that went over all of the container's networks. */
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
