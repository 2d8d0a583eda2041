import { z } from "@hono/zod-openapi";
import type { EventType } from "../../core/app.ts";

const worker = z.looseObject({ name: z.string() });

const left = worker.extend({
  reason: z.string().optional().describe("Reason of the change"),
});

/** Types of the events of workers. */
export const WORKER_EVENT_TYPES = {
  "worker.registered": {
    description: "A worker, or a new process of a known worker, registered",
    data: worker,
  },
  "worker.online": {
    description: "A worker that was offline, failed or draining is online",
    data: worker,
  },
  "worker.draining": {
    description: "A worker takes no more sessions and is about to leave",
    data: worker,
  },
  "worker.drained": {
    description: "A draining worker has left",
    data: left,
  },
  "worker.offline": {
    description: "A worker has left, or sent no heartbeat in time",
    data: left,
  },
  "worker.failed": {
    description: "A worker runs, but cannot use its provider",
    data: left,
  },
  "worker.deregistered": {
    description: "The record of a worker was deleted",
    data: left,
  },
} as const satisfies Readonly<Record<string, EventType>>;

/** Type of an event of a worker. */
export type WorkerEventType = keyof typeof WORKER_EVENT_TYPES;
