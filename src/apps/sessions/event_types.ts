import { z } from "@hono/zod-openapi";
import type { EventType } from "../../core/app.ts";

const ended = z.looseObject({
  reason: z.string().optional().describe("Reason of the end"),
});

/** A type of event of sessions. */
interface SessionEventKind extends EventType {
  /** Name on the bus of the process and in `/v1/sessions/{id}/events`. */
  readonly name: string;
}

/** Types of the events of sessions. */
export const SESSION_EVENT_TYPES = {
  "session.created": {
    name: "session_created",
    description: "A session was created",
    data: z.looseObject({}),
  },
  "session.assigned": {
    name: "session_assigned",
    description: "A session was assigned to its work pool",
    data: z.looseObject({ work_pool_id: z.string().optional() }),
  },
  "session.starting": {
    name: "session_starting",
    description: "A worker claimed a session and starts its browser",
    data: z.looseObject({ worker_id: z.string().optional() }),
  },
  "session.progress": {
    name: "session_progress",
    description: "The start of a browser made progress",
    data: z.looseObject({ message: z.string().optional() }),
  },
  "session.running": {
    name: "browser_started",
    description: "The browser of a session runs",
    data: z.looseObject({
      warm: z.boolean().optional().describe("It was a warm browser"),
    }),
  },
  "session.idle": {
    name: "session_idle",
    description: "A running session has no client or no traffic",
    data: z.looseObject({
      why: z.string().optional(),
      since: z.string().optional(),
      idle_seconds: z.number().optional(),
    }),
  },
  "session.active": {
    name: "session_active",
    description: "An idle session is used again",
    data: z.looseObject({ idle_seconds: z.number().optional() }),
  },
  "session.completed": {
    name: "session_completed",
    description: "A session was ended by its client or owner",
    data: ended,
  },
  "session.crashed": {
    name: "session_crashed",
    description: "The browser of a session or its worker was lost",
    data: ended,
  },
  "session.timed_out": {
    name: "session_timed_out",
    description: "No client used a session for its idle timeout",
    data: ended,
  },
  "session.terminated": {
    name: "session_terminated",
    description: "A session was ended by force or by an operator",
    data: ended,
  },
  "session.expired": {
    name: "session_expired",
    description: "The maximum lifetime of a session passed",
    data: ended,
  },
  "session.failed": {
    name: "session_failed",
    description: "A session did not start",
    data: ended,
  },
  "session.requeued": {
    name: "session_requeued",
    description: "A session waits again, because its worker was lost",
    data: ended,
  },
  "session.client_connected": {
    name: "client_connected",
    description: "A client connected to a session",
    data: z.looseObject({}),
  },
  "session.client_disconnected": {
    name: "client_disconnected",
    description: "A client disconnected from a session",
    data: z.looseObject({}),
  },
  "session.handover_requested": {
    name: "handover_requested",
    description: "A client asked a person to take control of a session",
    data: z.looseObject({
      handover_id: z.string().optional(),
      reason: z.string().optional().describe("What the person is to do"),
      expires_at: z.string().optional(),
      hold: z.boolean().optional(),
      by: z.string().optional(),
    }),
  },
  "session.handover_resolved": {
    name: "handover_resolved",
    description: "A request to a person has ended",
    data: z.looseObject({
      handover_id: z.string().optional(),
      result: z.string().optional().describe(
        "done, declined, timed_out, condition_met, cancelled or session_ended",
      ),
      by: z.string().nullable().optional(),
    }),
  },
  "session.control_changed": {
    name: "control_changed",
    description: "The side that controls a session changed",
    data: z.looseObject({
      control: z.string().optional().describe("client, human or shared"),
      previous: z.string().optional(),
      by: z.string().nullable().optional(),
    }),
  },
} as const satisfies Readonly<Record<string, SessionEventKind>>;

/** Type of an event of a session. */
export type SessionEventType = keyof typeof SESSION_EVENT_TYPES;

/** Name of an event of a session on the bus and in `/v1/sessions/{id}/events`. */
export type SessionEventName =
  (typeof SESSION_EVENT_TYPES)[SessionEventType]["name"];

/** Names of the events of sessions. */
export const SESSION_EVENTS: readonly SessionEventName[] = Object.values(
  SESSION_EVENT_TYPES,
).map(({ name }) => name);

/** Names of the events of sessions by type. */
export const SESSION_EVENT_NAMES: Readonly<Record<string, SessionEventName>> =
  Object.fromEntries(
    Object.entries(SESSION_EVENT_TYPES).map(([type, { name }]) => [type, name]),
  );

const TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries(SESSION_EVENT_NAMES).map(([type, name]) => [name, type]),
);

/** Returns the type of an event of sessions by its name. */
export function toEventType(name: SessionEventName): string {
  return TYPES.get(name) ?? name;
}

/** Schemas of the data of events of sessions by name. */
export const SESSION_EVENT_DATA: ReadonlyMap<string, EventType["data"]> =
  new Map(
    Object.values(SESSION_EVENT_TYPES).map(({ name, data }) => [name, data]),
  );
