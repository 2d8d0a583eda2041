import type { SessionReport } from "../client/client.ts";
import type {
  BrowserExit,
  BrowserStats,
  RunningBrowser,
} from "../core/provider.ts";

/** Maximum length of a status reason. */
const MAX_REASON = 8_000;

/** The full report of a session, without metrics. A later report replaces an earlier one. */
export type Report = Omit<SessionReport, "metrics">;

/** The end of a session. */
export interface SessionEnd {
  readonly status: Exclude<SessionReport["status"], "starting" | "running">;
  readonly reason: string;
}

/** Identifies a session and the lease under which it is reported. */
export interface ReportSubject {
  readonly id: string;
  readonly fencingToken: number;
}

/** Creates the report of a running browser. */
export function createRunningReport(
  { id, fencingToken }: ReportSubject,
  { endpoint, details }: Pick<RunningBrowser, "endpoint" | "details">,
): Report {
  const { container_id } = details;
  return {
    session_id: id,
    fencing_token: fencingToken,
    status: "running",
    endpoint: endpoint.href,
    details: { ...details },
    ...(container_id === undefined ? {} : { container_id }),
  };
}

/** Creates the report of an end. @param end With `logs`, the end of the browser's output. */
export function createEndReport(
  { id, fencingToken }: ReportSubject,
  { status, reason, logs }: SessionEnd & { readonly logs: string },
): Report {
  return {
    session_id: id,
    fencing_token: fencingToken,
    status,
    status_reason: reason.slice(0, MAX_REASON).toWellFormed(),
    ...(logs === "" ? {} : { logs }),
  };
}

/** Converts the exit of a browser to the end of its session. */
export function toSessionEnd({ reason, detail }: BrowserExit): SessionEnd {
  const status = reason === "stopped" ? "completed" : "crashed";
  return { status, reason: detail };
}

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
      disk_read_bytes: roundOrNull(stats.diskReadBytes),
      disk_write_bytes: roundOrNull(stats.diskWriteBytes),
    },
  };
}

/** Returns the part of a report that renews the lease and contains the browser's endpoint. */
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
