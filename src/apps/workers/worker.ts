import { createRowRenderer, toIsoTime } from "../../http/wire_form.ts";
import { compareSupport } from "../../core/version/version_support.ts";
import type { workers } from "./models.ts";
import type { SeriesRow } from "../../db/series/reader.ts";
import {
  type WorkerMetricWire,
  workerSchema,
  type WorkerWire,
} from "./schemas.ts";

/** A stored worker. */
export type WorkerRow = Readonly<typeof workers.$inferSelect>;

/** A measurement of a worker's host, or several of an interval. */
export type WorkerMetric =
  & SeriesRow
  & Omit<WorkerMetricWire, "worker_id" | "timestamp">;

/** Renders a measurement of a worker for responses. */
export function renderWorkerMetric(
  worker_id: string,
  metric: WorkerMetric,
): WorkerMetricWire {
  return { worker_id, ...metric, timestamp: toIsoTime(metric.timestamp) };
}

const renderRow = createRowRenderer(workerSchema);

/**
 * Returns the wire form of a worker, without its secret and instance id.
 *
 * @param serverVersion Version of this server.
 */
export function renderWorker(
  worker: WorkerRow,
  serverVersion: string,
): WorkerWire {
  return renderRow({
    ...worker,
    // A killed server has not recorded that its tunnels are closed.
    hasTunnel: worker.tunnelUrl !== null && worker.status !== "offline",
    versionSupport: compareSupport(worker.version, serverVersion),
    lastHeartbeat: toIsoTime(worker.lastHeartbeat),
  });
}
