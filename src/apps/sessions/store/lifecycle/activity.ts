/**
 * Queries about the use of sessions: of the gateway, and of the reconciler for sessions without traffic.
 *
 * A running session is active or idle. Each change between the two has one event, which is recorded before it under the
 * same condition and in the same batch: it is recorded once, however many servers notice it.
 *
 * @module
 */
import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../../db/prepare.ts";
import { events } from "../../../events/models.ts";
import { toEventType } from "../../event_types.ts";
import { sessions } from "../../models.ts";
import { CLIENT_SEEN_MS } from "../../session.ts";
import { all } from "../conditions.ts";
import { insertEvent } from "./transition.ts";

/** Time without traffic after which a session is idle; half of the idle timeout if that is shorter. */
const QUIET_MS = 30_000;

/** Reason of an idle session without clients. Otherwise clients are connected, and send nothing. */
const NO_CLIENT = "no client";

/** A session that has become idle or active. */
export interface ActivityChange {
  readonly id: string;
  readonly workPoolId: string;
  readonly workerId: string | null;
}

/** The use of sessions since the last record. */
export interface ClientActivity {
  /** Sessions over whose streams bytes have passed. */
  readonly active: readonly string[];
  /** Ephemeral sessions whose client is connected. */
  readonly clientsSeen: readonly string[];
}

/** The event, and the change. */
export interface ActivityStatements {
  readonly event: Statement<ResultSet>;
  readonly changed: Statement<ActivityChange[]>;
}

/** Records of the use of sessions. Each method is one round trip, and returns the sessions that have become idle or active. */
export class ActivityStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async recordConnected(
    id: string,
    now: number,
  ): Promise<readonly ActivityChange[]> {
    const statements = connectedStatements(this.#db, { id, now });
    return (await batchNamed(this.#db.orm, statements)).changed;
  }

  /** Records that a client has disconnected. With the last client, the time begins that the session waits for another. */
  async recordDisconnected(
    id: string,
    data: Readonly<Record<string, unknown>>,
    now: number,
  ): Promise<readonly ActivityChange[]> {
    const statements = disconnectedStatements(this.#db, {
      id,
      now,
      data: JSON.stringify(data),
    });
    return (await batchNamed(this.#db.orm, statements)).changed;
  }

  async recordActivity(
    { active, clientsSeen }: ClientActivity,
    now: number,
  ): Promise<readonly ActivityChange[]> {
    const statements = activityStatements(this.#db, {
      active: JSON.stringify(active),
      clientsSeen: JSON.stringify(clientsSeen),
      now,
    });
    return (await batchNamed(this.#db.orm, statements)).changed;
  }
}

/** A session, and the time of a record. */
interface RecordValues {
  readonly id: string;
  readonly now: number;
}

const connectedStatements = prepare(({ orm }, bind: Bind<RecordValues>) => {
  const now = bind("now");
  const isOne = sql`${sessions.id} = ${bind("id")}`;
  return {
    connected: insertEvent(orm, "client_connected", isOne, now),
    ...becomeActive(orm, isOne, now),
    touched: touchLastActivity(orm, isOne, now),
    renewed: renewClientSeen(orm, isOne, now),
  };
});

const disconnectedStatements = prepare((
  { orm },
  bind: Bind<RecordValues & { readonly data: string }>,
) => {
  const id = bind("id");
  const now = bind("now");
  const isOne = sql`${sessions.id} = ${id}`;
  const isUnused = all(
    isOne,
    hasNoClient(id),
    sql`NOT ${endsWithClient}`,
    // Another client may have connected before this statement ran.
    sql`${sessions.lastActivityAt} <= ${now}`,
  );
  const idle = { since: now, why: sql`${NO_CLIENT}` };
  const data = bind("data");
  return {
    disconnected: insertEvent(orm, "client_disconnected", isOne, now, data),
    touched: touchLastActivity(orm, isOne, now),
    ...becomeIdle(orm, isUnused, now, idle),
    awaited: orm.update(sessions).set({
      clientSeenUntil: awaitClientUntil(id, now),
    }).where(all(
      isOne,
      sql`${sessions.ephemeral} = 1`,
      sql`${sessions.keepAliveSeconds} IS NOT NULL`,
    )),
  };
});

/** JSON lists of the sessions of a {@linkcode ClientActivity}, and the time of the record. */
interface ActivityValues {
  readonly active: string;
  readonly clientsSeen: string;
  readonly now: number;
}

const activityStatements = prepare(({ orm }, bind: Bind<ActivityValues>) => {
  const now = bind("now");
  const isUsed = matchesAny(bind("active"));
  return {
    ...becomeActive(orm, isUsed, now),
    touched: touchLastActivity(orm, isUsed, now),
    renewed: renewClientSeen(orm, matchesAny(bind("clientsSeen")), now),
  };
});

/**
 * Returns the statements by which sessions without traffic become idle.
 *
 * @param limited Limits the number of sessions that meet a condition.
 */
export function markIdle(
  orm: LibSQLDatabase,
  now: number,
  limited: (condition: SQL) => SQL,
): ActivityStatements {
  const last = sql`coalesce(${sessions.lastActivityAt}, ${sessions.startedAt})`;
  const quietMs = sql`min(${QUIET_MS},
    coalesce(${sessions.idleTimeoutSeconds} * 500, ${QUIET_MS}))`;
  const isQuiet = all(
    sql`${sessions.status} = 'running'`,
    isActive,
    sql`${last} + ${quietMs} < ${now}`,
  );
  return becomeIdle(orm, limited(isQuiet), now, {
    since: last,
    // A session whose client has disconnected is idle already.
    why:
      sql`iif(${sessions.lastActivityAt} IS NULL, ${NO_CLIENT}, 'no traffic')`,
  });
}

const changedColumns = {
  id: sessions.id,
  workPoolId: sessions.workPoolId,
  workerId: sessions.workerId,
};

/** The plus keeps SQLite from the index of the status: the sessions are found by their ids. */
const isRunning = sql`+${sessions.status} = 'running'`;

const isActive = all(isRunning, sql`${sessions.idleSince} IS NULL`);

/** Condition that a session ends with its client, and is therefore never idle without one. */
const endsWithClient = sql`(${sessions.ephemeral} = 1
  AND ${sessions.keepAliveSeconds} IS NULL)`;

function becomeIdle(
  orm: LibSQLDatabase,
  condition: SQL,
  now: SQL | number,
  { since, why }: { readonly since: SQL; readonly why: SQL },
): ActivityStatements {
  const becomesIdle = all(
    isActive,
    sql`${sessions.stopRequestedAt} IS NULL`,
    condition,
  );
  const data = sql`json_object('why', ${why}, 'since', ${toIsoTime(since)},
    'idle_seconds', (${now} - ${since}) / 1000.0)`;
  return {
    event: insertEvent(orm, "session_idle", becomesIdle, now, data),
    changed: orm.update(sessions).set({ idleSince: since }).where(becomesIdle)
      .returning(changedColumns),
  };
}

function becomeActive(
  orm: LibSQLDatabase,
  condition: SQL,
  now: SQL | number,
): ActivityStatements {
  // Activity from before the session became idle does not make it active.
  const becomesActive = all(
    isRunning,
    sql`${sessions.idleSince} <= ${now}`,
    condition,
  );
  const data = sql`json_object('idle_seconds',
    (${now} - ${sessions.idleSince}) / 1000.0)`;
  return {
    event: insertEvent(orm, "session_active", becomesActive, now, data),
    changed: orm.update(sessions).set({ idleSince: null }).where(becomesActive)
      .returning(changedColumns),
  };
}

function touchLastActivity(orm: LibSQLDatabase, condition: SQL, now: SQL) {
  return orm.update(sessions).set({
    lastActivityAt: sql`max(coalesce(${sessions.lastActivityAt}, 0), ${now})`,
  }).where(condition);
}

/** Renews ephemeral sessions: after the crash of the client's server they wait as long as after a disconnect. */
function renewClientSeen(orm: LibSQLDatabase, condition: SQL, now: SQL) {
  const keepAliveMs = sql`iif(${isRunning},
    coalesce(${sessions.keepAliveSeconds}, 0) * 1000, 0)`;
  return orm.update(sessions).set({
    clientSeenUntil:
      sql`CAST(${now} + max(${CLIENT_SEEN_MS}, ${keepAliveMs}) AS INTEGER)`,
  }).where(all(condition, sql`${sessions.ephemeral} = 1`));
}

/** Returns the time until which a session waits after a disconnect; not less if another client is connected to any server. */
function awaitClientUntil(id: SQL, now: SQL): SQL {
  const until =
    sql`CAST(${now} + ${sessions.keepAliveSeconds} * 1000 AS INTEGER)`;
  return sql`iif(${hasNoClient(id)}, ${until},
    max(${sessions.clientSeenUntil}, ${until}))`;
}

/** Condition that all servers together recorded as many disconnects as connects since the session last had no client. */
function hasNoClient(id: SQL): SQL {
  const isOfSession = sql`${events.sessionId} = ${id}`;
  const lastWithout = sql`coalesce((SELECT sequence FROM ${events}
    WHERE ${isOfSession} AND type = ${toEventType("session_idle")}
    AND data ->> '$.why' = ${NO_CLIENT} ORDER BY sequence DESC LIMIT 1), 0)`;
  return sql`(SELECT coalesce(sum(CASE type
      WHEN ${toEventType("client_connected")} THEN 1
      WHEN ${toEventType("client_disconnected")} THEN -1 END), 0)
    FROM ${events} WHERE ${isOfSession} AND sequence > ${lastWithout}) <= 0`;
}

/** Condition that a session is one of a JSON list of ids. */
function matchesAny(ids: SQL): SQL {
  return sql`${sessions.id} IN (SELECT value FROM json_each(${ids}))`;
}

function toIsoTime(ms: SQL): SQL {
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;
}
