import { and, desc, eq, gt, inArray, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { sessionEvents, sessionMetrics, sessions } from "../models.ts";
import type { SessionMetricValues } from "../schemas/history.ts";
import type { SessionEvent, SessionMetric } from "../session.ts";
import { HELD_STATUSES, type SessionEventName } from "../status.ts";
import { isProvenWorker } from "./conditions.ts";
import { selectId, type SessionRef } from "./select_session.ts";
import { insertEvent } from "./lifecycle/transition.ts";

/** The worker that holds a session, and proves it. */
export interface Holder {
  readonly fencingToken: number;
  readonly caller: WorkerCaller;
}

/** An event that the holder of a session records. */
export interface HolderEvent extends Holder {
  readonly event: SessionEventName;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events and measurements of sessions. Each method is one round trip, and returns undefined if there is no such session. */
export class HistoryStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  async events(
    ref: SessionRef,
    after: number,
    limit: number,
  ): Promise<readonly SessionEvent[] | undefined> {
    const { found, events } = await batchNamed(this.#orm, {
      found: selectId(this.#orm, ref),
      events: selectEvents(this.#orm, ref.id, { after, limit }),
    });
    return found[0] && events;
  }

  /** Returns the last measurements, oldest first. */
  async metrics(
    ref: SessionRef,
    limit: number,
  ): Promise<readonly SessionMetric[] | undefined> {
    const { found, metrics } = await batchNamed(this.#orm, {
      found: selectId(this.#orm, ref),
      metrics: selectMetrics(this.#orm, ref.id, limit),
    });
    return found[0] && metrics.toReversed();
  }

  /** Returns false if the fencing token is stale or the session has ended. */
  async addEvent(
    id: string,
    { event, data, ...holder }: HolderEvent,
    now: number,
  ): Promise<boolean | undefined> {
    const { found, inserted } = await batchNamed(this.#orm, {
      found: selectId(this.#orm, { id }),
      inserted: insertEvent(this.#orm, event, isHeld(id, holder), now, data),
    });
    return found[0] && inserted.rowsAffected > 0;
  }

  /** Returns false if the fencing token is stale or the session has ended. */
  async addMetric(
    id: string,
    values: SessionMetricValues & Holder,
    now: number,
  ): Promise<boolean | undefined> {
    const { found, inserted } = await batchNamed(this.#orm, {
      found: selectId(this.#orm, { id }),
      inserted: this.#orm.run(sql`INSERT INTO ${sessionMetrics} (session_id,
          cpu_percent, memory_mb, network_rx_bytes, network_tx_bytes, timestamp)
        SELECT ${sessions.id}, ${values.cpu_percent}, ${values.memory_mb},
          ${values.network_rx_bytes}, ${values.network_tx_bytes}, ${now}
        FROM ${sessions} WHERE ${isHeld(id, values)}`),
    });
    return found[0] && inserted.rowsAffected > 0;
  }
}

/** Returns the statement that reads a session's events after a sequence number, oldest first. */
export function selectEvents(
  orm: LibSQLDatabase,
  id: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Statement<SessionEvent[]> {
  return orm.select().from(sessionEvents).where(
    and(eq(sessionEvents.sessionId, id), gt(sessionEvents.seq, after)),
  ).orderBy(sessionEvents.seq).limit(limit);
}

/** Returns the statement that reads a session's measurements, newest first. */
export function selectMetrics(
  orm: LibSQLDatabase,
  id: string,
  limit: number,
): Statement<SessionMetric[]> {
  return orm.select().from(sessionMetrics).where(
    eq(sessionMetrics.sessionId, id),
  ).orderBy(desc(sessionMetrics.seq)).limit(limit);
}

function isHeld(id: string, { fencingToken, caller }: Holder): SQL {
  return and(
    eq(sessions.id, id),
    isProvenWorker(sql`${sessions.workerId}`, caller),
    eq(sessions.fencingToken, fencingToken),
    inArray(sessions.status, [...HELD_STATUSES]),
  ) ?? sql`0`;
}
