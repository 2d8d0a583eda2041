import { toIsoTime } from "../../http/wire_form.ts";
import type { EventWire } from "./schemas.ts";

/** A recorded event as the database returns it. */
export interface StoredEvent {
  readonly sequence: number;
  readonly type: string;
  readonly sessionId: string | null;
  readonly workPoolId: string | null;
  readonly workerId: string | null;
  readonly owner: string | null;
  /** JSON object. */
  readonly data: string;
  readonly timestamp: number;
}

/** Selects events. Each member that is undefined selects all. */
export interface EventFilter {
  /** Owner of the session: excludes events of workers and work pools. */
  readonly owner?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly sessionId?: string | undefined;
  readonly workPoolId?: string | undefined;
  readonly workerId?: string | undefined;
  /** Name and value of a label of the session, whose record still exists. */
  readonly label?: readonly [name: string, value: string] | undefined;
  /** Earliest time. */
  readonly since?: number | undefined;
}

/** Renders an event for responses. */
export function renderEvent(event: StoredEvent): EventWire {
  return {
    sequence: event.sequence,
    type: event.type,
    session_id: event.sessionId,
    work_pool_id: event.workPoolId,
    worker_id: event.workerId,
    owner: event.owner,
    data: JSON.parse(event.data),
    timestamp: toIsoTime(event.timestamp),
  };
}
