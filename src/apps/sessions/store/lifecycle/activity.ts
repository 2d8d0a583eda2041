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
import { sessionEvents, sessions } from "../../models.ts";
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
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  async recordConnected(
    id: string,
    now: number,
  ): Promise<readonly ActivityChange[]> {
    const isOne = sql`${sessions.id} = ${id}`;
    const { changed } = await batchNamed(this.#orm, {
      connected: insertEvent(this.#orm, "client_connected", isOne, now),
      ...becomeActive(this.#orm, isOne, now),
      touched: touchLastActivity(this.#orm, isOne, now),
      renewed: renewClientSeen(this.#orm, isOne, now),
    });
    return changed;
  }

  /** Records that a client has disconnected. With the last client, the time begins that the session waits for another. */
  async recordDisconnected(
    id: string,
    data: Readonly<Record<string, unknown>>,
    now: number,
  ): Promise<readonly ActivityChange[]> {
    const isOne = sql`${sessions.id} = ${id}`;
    const isUnused = all(
      isOne,
      hasNoClient(id),
      sql`NOT ${endsWithClient}`,
      // Another client may have connected before this statement ran.
      sql`${sessions.lastActivityAt} <= ${now}`,
    );
    const idle = { since: sql`${now}`, why: sql`${NO_CLIENT}` };
    const { changed } = await batchNamed(this.#orm, {
      disconnected: insertEvent(
        this.#orm,
        "client_disconnected",
        isOne,
        now,
        data,
      ),
      touched: touchLastActivity(this.#orm, isOne, now),
      ...becomeIdle(this.#orm, isUnused, now, idle),
      awaited: this.#orm.update(sessions).set({
        clientSeenUntil: awaitClientUntil(id, now),
      }).where(all(
        isOne,
        sql`${sessions.ephemeral} = 1`,
        sql`${sessions.keepAliveSeconds} IS NOT NULL`,
      )),
    });
    return changed;
  }

  async recordActivity(
    { active, clientsSeen }: ClientActivity,
    now: number,
  ): Promise<readonly ActivityChange[]> {
    const { changed } = await batchNamed(this.#orm, {
      ...becomeActive(this.#orm, matchesAny(active), now),
      touched: touchLastActivity(this.#orm, matchesAny(active), now),
      renewed: renewClientSeen(this.#orm, matchesAny(clientsSeen), now),
    });
    return changed;
  }
}

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
  now: number,
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
  now: number,
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

function touchLastActivity(orm: LibSQLDatabase, condition: SQL, now: number) {
  return orm.update(sessions).set({
    lastActivityAt: sql`max(coalesce(${sessions.lastActivityAt}, 0), ${now})`,
  }).where(condition);
}

/** Renews ephemeral sessions: after the crash of the client's server they wait as long as after a disconnect. */
function renewClientSeen(orm: LibSQLDatabase, condition: SQL, now: number) {
  const keepAliveMs = sql`iif(${isRunning},
    coalesce(${sessions.keepAliveSeconds}, 0) * 1000, 0)`;
  return orm.update(sessions).set({
    clientSeenUntil:
      sql`CAST(${now} + max(${CLIENT_SEEN_MS}, ${keepAliveMs}) AS INTEGER)`,
  }).where(all(condition, sql`${sessions.ephemeral} = 1`));
}

/** Returns the time until which a session waits after a disconnect; not less if another client is connected to any server. */
function awaitClientUntil(id: string, now: number): SQL {
  const until =
    sql`CAST(${now} + ${sessions.keepAliveSeconds} * 1000 AS INTEGER)`;
  return sql`iif(${hasNoClient(id)}, ${until},
    max(${sessions.clientSeenUntil}, ${until}))`;
}

/** Condition that all servers together recorded as many disconnects as connects since the session last had no client. */
function hasNoClient(id: string): SQL {
  const isOfSession = sql`${sessionEvents.sessionId} = ${id}`;
  const lastWithout = sql`coalesce((SELECT seq FROM ${sessionEvents}
    WHERE ${isOfSession} AND event = 'session_idle'
    AND data ->> '$.why' = ${NO_CLIENT} ORDER BY seq DESC LIMIT 1), 0)`;
  return sql`(SELECT coalesce(sum(CASE event WHEN 'client_connected' THEN 1
      WHEN 'client_disconnected' THEN -1 END), 0)
    FROM ${sessionEvents} WHERE ${isOfSession} AND seq > ${lastWithout}) <= 0`;
}

/** Condition that a session is one of `ids`. Binds one value for any number of ids. */
function matchesAny(ids: readonly string[]): SQL {
  return sql`${sessions.id} IN (SELECT value FROM json_each(${
    JSON.stringify(ids)
  }))`;
}

function toIsoTime(ms: SQL): SQL {
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;
}
