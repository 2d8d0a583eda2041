import { z } from "@hono/zod-openapi";
import type { EventType } from "../../core/app.ts";

const machine = z.looseObject({
  name: z.string().describe("Name of the work pool"),
});

const reason = z.string().describe("Reason, as the infrastructure reports it");

/** Types of the events of machines on which the workers of a pool run. */
export const MACHINE_EVENT_TYPES = {
  "pool.machine_requested": {
    description: "The server requests a machine for a worker of the pool",
    data: machine,
  },
  "pool.machine_failed": {
    description:
      "A machine could not be started, or its worker did not register. A failure that repeats is recorded once an hour",
    data: machine.extend({ reason }),
  },
  "pool.machine_removed": {
    description: "The server removes a machine of the pool",
    data: machine.extend({ reason: z.string() }),
  },
} as const satisfies Readonly<Record<string, EventType>>;

/** Type of an event of a machine. */
export type MachineEventType = keyof typeof MACHINE_EVENT_TYPES;
