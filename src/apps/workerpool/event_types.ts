import { z } from "@hono/zod-openapi";
import type { EventType } from "../../core/app.ts";
import type { PoolStatus } from "./status.ts";

const pool = z.looseObject({ name: z.string() });

/** Types of the events of work pools. */
export const POOL_EVENT_TYPES = {
  "pool.created": {
    description: "A work pool was created",
    data: pool.extend({ provider_type: z.string() }),
  },
  "pool.updated": {
    description: "Fields of a work pool were changed",
    data: pool.extend({
      changed: z.array(z.string()).describe("Names of the changed fields"),
    }),
  },
  "pool.resumed": {
    description: "A work pool is active again",
    data: pool,
  },
  "pool.paused": { description: "A work pool was paused", data: pool },
  "pool.draining": {
    description: "A work pool takes no more sessions",
    data: pool,
  },
  "pool.inactive": {
    description: "A work pool is inactive, such as at the end of a drain",
    data: pool,
  },
  "pool.deleted": { description: "A work pool was deleted", data: pool },
} as const satisfies Readonly<Record<string, EventType>>;

/** Type of an event of a work pool. */
export type PoolEventType = keyof typeof POOL_EVENT_TYPES;

/** The event of the change to each status. */
export const POOL_STATUS_EVENTS: Readonly<Record<PoolStatus, PoolEventType>> = {
  active: "pool.resumed",
  paused: "pool.paused",
  draining: "pool.draining",
  inactive: "pool.inactive",
};
