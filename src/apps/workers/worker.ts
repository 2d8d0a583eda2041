import { createRowRenderer, toIsoTime } from "../../http/wire_form.ts";
import type { workers } from "./models.ts";
import { workerSchema, type WorkerWire } from "./schemas.ts";

/** A stored worker. */
export type WorkerRow = Readonly<typeof workers.$inferSelect>;

const renderRow = createRowRenderer(workerSchema);

/** Returns the wire form of a worker, without its secret and instance id. */
export function renderWorker(worker: WorkerRow): WorkerWire {
  return renderRow({
    ...worker,
    // A killed server has not recorded that its tunnels are closed.
    hasTunnel: worker.tunnelUrl !== null && worker.status !== "offline",
    lastHeartbeat: toIsoTime(worker.lastHeartbeat),
  });
}
