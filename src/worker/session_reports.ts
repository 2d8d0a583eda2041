import type { SessionReport } from "../client/client.ts";
import type { BrowserStats } from "../core/provider.ts";
import type { Report } from "./held_session.ts";

/** Adds the browser's new measurements to a report, if there are any. */
export function addMetrics(
  report: Report,
  stats: BrowserStats | undefined,
): SessionReport {
  if (!stats) return report;
  return {
    ...report,
    metrics: {
      cpu_percent: stats.cpuPercent ?? null,
      memory_mb: stats.memoryMb ?? null,
      network_rx_bytes: roundOrNull(stats.networkRxBytes),
      network_tx_bytes: roundOrNull(stats.networkTxBytes),
    },
  };
}

/** Returns the part of a report that renews the lease and tells where the browser listens. */
export function toMinimalReport(
  { session_id, fencing_token, status, endpoint }: Report,
): SessionReport {
  return {
    session_id,
    fencing_token,
    status,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function roundOrNull(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.round(bytes);
}
